/* Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2183) with their parameters, joined
 * and decoded as in RFC 2231. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;

/* Parameters of one field, every section of RFC 2231 counted for itself. What exceeds it is
 * dropped. */
#define MIME_PARAM_SECTIONS_MAX 128

struct mime_param {
	struct str name;     /* lower case, without the '*' of RFC 2231 */
	struct str value;    /* the bytes meant: unquoted, sections joined, percent-decoded */
	struct str charset;  /* of an extended value: as written, may be empty */
	struct str language; /* the same */
	bool is_extended;    /* came as name*= or name*0*= */
};

struct mime_params {
	struct mime_param *items; /* in order of appearance, every name once */
	size_t n;
	bool truncated; /* MIME_PARAM_SECTIONS_MAX was reached */
};

struct mime_content_type {
	struct str type;    /* lower case */
	struct str subtype; /* lower case */
	struct mime_params params;
};

struct mime_disposition {
	struct str kind; /* "inline", "attachment", …, lower case */
	struct mime_params params;
};

/* Parse a raw or unfolded value; results live in `a`. 0; -EINVAL when there is no type/subtype
 * (RFC 2045 5.2 then says text/plain), or no kind. Parameters that make no sense are skipped. */
int must_check mime_content_type_parse(struct str value, struct arena *a,
				       struct mime_content_type *out);
int must_check mime_disposition_parse(struct str value, struct arena *a,
				      struct mime_disposition *out);

/* By lower-case name; NULL when there is none. */
const struct mime_param *mime_param_find(const struct mime_params *params, struct str name);

/* The RFC 2231 form of a value without its name: charset'language'percent-encoded. What IMAP's
 * BODYSTRUCTURE shows under "name*" for an extended parameter. */
void mime_param_write_extended(struct buf *out, const struct mime_param *p);
