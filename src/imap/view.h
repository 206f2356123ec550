/* What a session has told its client of the selected mailbox, and telling what is new. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct imap_seqset;
struct imap_session;
struct store_message;
struct store_uids;
struct buf;

/* Take in what has changed and write the untagged responses for it; `how` is enum store_sync_how.
 * 0, or the failure of the stream. A mailbox that is gone ends the session. */
int may_suspend must_check imap_view_sync(struct imap_session *s, unsigned how);

/* "* FLAGS (...)" and the PERMANENTFLAGS code. */
void may_suspend imap_view_write_flags(struct imap_session *s);

/* "FLAGS (...)" of a message. */
void imap_view_write_message_flags(struct imap_session *s, struct buf *b,
				   const struct store_message *m);

/* The sequence set at this place of the command, which holds UIDs when it is a UID command: the
 * sequence numbers of this view, in order and in ranges. -EBADMSG for one that is malformed or
 * names a number beyond the last message. */
int must_check imap_view_parse_set(struct imap_session *s, struct imap_seqset *out);

/* The text of such a set as the UIDs that it names, whether the view has them or not. */
int must_check imap_view_parse_known(struct imap_session *s, struct str text,
				     struct store_uids *out);

/* The same for a search, which only asks: UIDs or numbers, as `uid` says, and a number beyond the
 * last message matches none. */
int must_check imap_view_parse_search_set(struct imap_session *s, bool uid,
					  struct imap_seqset *out);

/* The same as an argument of the store. */
void imap_view_uids(struct imap_session *s, const struct imap_seqset *seqs, struct store_uids *out);

/* Save these messages for "$" (RFC 5182); sequence numbers, ascending, some perhaps twice. */
void imap_view_save(struct imap_session *s, const uint32_t *seqs, size_t n);

/* Forget the selected mailbox. */
void imap_view_close(struct imap_session *s);
