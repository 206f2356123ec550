/* What a client may know of modification sequences (RFC 7162). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"

struct imap_lexer;
struct imap_seqset;
struct imap_session;
struct store_message;
struct store_uids;

/* The client used CONDSTORE for the first time: from here on FETCH responses have MODSEQ. */
void may_suspend imap_condstore_enable(struct imap_session *s);

/* A mod-sequence: 63 bits. */
int must_check imap_lexer_modseq(struct imap_lexer *lx, uint64_t *out);

/* "* OK [HIGHESTMODSEQ n]": of what this client has been told. */
void may_suspend imap_condstore_write_highest(struct imap_session *s);

/* "[HIGHESTMODSEQ n] " for a tagged OK behind which nothing is left to be told; empty for clients
 * that did not enable QRESYNC. Tells what is left before, so it may end the session. */
struct str;
int may_suspend must_check imap_condstore_code(struct imap_session *s, struct str *out);

/* An untagged FETCH of changed flags: with UID and MODSEQ for who has to be told these. */
void imap_condstore_put_fetch(struct imap_session *s, struct buf *b, uint32_t seq,
			      const struct store_message *m, bool flags);

/* "* VANISHED (EARLIER) 1,3:5" of the UIDs in `known` (NULL: all) that were expunged after a
 * modseq. */
void may_suspend imap_condstore_write_vanished(struct imap_session *s, uint64_t since,
					       const struct store_uids *known);

/* "MODIFIED 1,3" as numbers of the kind that the command uses. */
void imap_condstore_put_modified(struct imap_session *s, struct buf *b,
				 const struct store_uids *modified);
