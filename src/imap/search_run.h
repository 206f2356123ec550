/* Which messages of the selected mailbox a search finds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct imap_search_key;
struct imap_session;

struct imap_found {
	uint32_t *v; /* sequence numbers, in s->arena; ascending unless they were sorted */
	size_t n;
	size_t cap;
};

/* Is this message found? 1, 0, or the failure of the stream. */
int may_suspend must_check imap_search_matches(struct imap_session *s,
					       const struct imap_search_key *key, uint32_t seq);

/* Look at all messages, letting others run meanwhile. A message that cannot be read is not found.
 * 0 or the failure of the stream. */
int may_suspend must_check imap_search_run(struct imap_session *s, struct imap_search_key *key,
					   struct imap_found *out);
