/* Lists of tag=value as DKIM, ARC and DMARC write them (RFC 6376 3.2). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

#define DKIM_TAGS_MAX 32

struct dkim_tag {
	struct str name, value; /* the value without white space around it; folds may be inside */
	struct str raw;		/* all between '=' and ';' */
};

struct dkim_tags {
	struct dkim_tag v[DKIM_TAGS_MAX];
	size_t n;
};

/* Slices of `text`. 0; -EINVAL for what is no list, or names a tag twice; -E2BIG. */
int must_check dkim_tags_parse(struct str text, struct dkim_tags *out);

/* NULL when there is none. Names are case-sensitive. */
const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, struct str name);

/* Its value, or empty. */
struct str dkim_tags_value(const struct dkim_tags *tags, struct str name);

/* Append the value without any white space: numbers, base64, names. */
void dkim_tag_compact(struct buf *out, struct str value);

/* Take the next of words separated by `sep` off *rest, without white space around it; also an
 * empty one. False at the end. */
bool dkim_tag_next(struct str *rest, char sep, struct str *word);

/* Is `word` one of them? */
bool dkim_tag_has(struct str list, char sep, struct str word);
