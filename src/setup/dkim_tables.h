/* The tables that say which key signs, with another key in the place of one. Only what is meant
 * changes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* SigningTable: the lines about a domain, and about addresses in it, get another name of a key.
 * How many. */
size_t dkim_table_replace(struct str text, struct str domain, struct str from, struct str to,
			  struct buf *out);

/* dkim_signing.conf: where a domain has this path and selector, it gets others. How many. */
struct dkim_conf_key {
	struct str path, selector;
};
size_t dkim_conf_replace(struct str text, struct str domain, const struct dkim_conf_key *from,
			 const struct dkim_conf_key *to, struct buf *out);

/* dkim-rotation.cf: how far the change of each key is.
 *
 *	DOMAIN KEYTYPE STATE SELECTOR OLD-SELECTOR DATE PATH
 *
 * STATE is "waiting" as long as the old key signs, since DATE; then "signing". */
#define DKIM_ROTATION_FILE "dkim-rotation.cf"

struct dkim_rotation {
	struct str domain, type;
	bool signing;
	struct str selector, old;
	struct str date; /* YYYY-MM-DD */
	struct str path; /* of the private key, in the configuration */
};

/* False when there is none. Slices of `text`. */
bool dkim_rotation_find(struct str text, struct str domain, struct str type,
			struct dkim_rotation *out);

/* Put it in, in the place of what is there of this domain and type. */
void dkim_rotation_put(struct str text, const struct dkim_rotation *r, struct buf *out);

/* Days from one date to another; SIZE_MAX when one of them is none, or the first is the later. */
size_t dkim_rotation_days(struct str from, struct str to);
