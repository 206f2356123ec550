/* What a message has to say to the rules of a SORT. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct imap_session;
struct imap_sort;

/* Texts are compared by their first bytes, as a number, and only where these are the same by all of
 * them. */
struct imap_sort_value {
	uint64_t number;
	struct str text;
};

struct imap_sort_source {
	struct imap_session *s;
	const struct imap_sort *how;
	bool needs_facts;
	bool missed; /* there was a message that could not be read */
};

struct imap_sort_source imap_sort_source(struct imap_session *s, const struct imap_sort *how);

/* One value for each rule; texts in the session's arena. A message that is gone or cannot be read
 * sorts as an empty one. `scratch` may be reset afterwards. */
void imap_sort_values(struct imap_sort_source *t, uint32_t seq, struct imap_sort_value *out,
		      struct arena *scratch);

/* < 0, 0, > 0 */
int imap_sort_compare(const struct imap_sort *how, const struct imap_sort_value *x,
		      const struct imap_sort_value *y);
