/* The keywords of a mailbox: name to bit. A bit is never given to another keyword: message files
 * may carry its letter. */
#pragma once

#include "base/str.h"
#include "store/store.h"

struct keyword_table {
	struct str names[STORE_KEYWORDS_MAX]; /* empty: unused */
	unsigned n;			      /* highest used bit + 1 */
};

/* The bit, or -1. ASCII case does not matter. */
int keyword_table_find(const struct keyword_table *t, struct str name);

/* The next unused bit, or -1. */
int keyword_table_free_bit(const struct keyword_table *t);
