/* Public keys that were read lately, by the text of their record: reading an RSA key costs several
 * times what a signature takes to verify with it. Which record counts, and for how long, is the
 * DNS's to say, who is asked each time; the same text is always the same key. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_key.h"

struct dkim_keys;

/* Remembers at most `max` keys, those that were used last; fewer when their records are long. */
struct dkim_keys *dkim_keys_new(size_t max);
void dkim_keys_free(struct dkim_keys *k); /* NULL is fine */

/* As dkim_public_key_parse; *out stays the memory's, and is good until the next call. */
int must_check dkim_keys_find(struct dkim_keys *k, struct str record,
			      const struct dkim_public_key **out, const char **reason);

size_t dkim_keys_count(const struct dkim_keys *k);
