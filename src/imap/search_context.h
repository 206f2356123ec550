/* Searches whose results are kept up to date (RFC 5267: CONTEXT=SEARCH). */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct imap_context;
struct imap_found;
struct imap_search_key;
struct imap_session;
struct store_events;

#define IMAP_CONTEXTS_MAX 16 /* of one session */

/* From here on the client is told what comes to these results and what leaves them. `modseq` is
 * that of the mailbox before the search began. When there are too many, or one with that tag, the
 * client is told that it is not. */
void may_suspend imap_context_add(struct imap_session *s, const struct imap_search_key *key,
				  const struct imap_found *found, uint64_t modseq);
/* The same for what cannot be kept up to date. */
void may_suspend imap_context_refuse(struct imap_session *s);

/* -ENOENT. */
int must_check imap_context_remove(struct imap_session *s, struct str tag);
/* All of them: the mailbox is left. */
void imap_contexts_done(struct imap_session *s);

/* Before the client is told that messages are gone, and behind all news. */
void may_suspend imap_contexts_expunge(struct imap_session *s, const struct store_events *ev);
int may_suspend must_check imap_contexts_update(struct imap_session *s);
