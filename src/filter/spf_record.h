/* What an SPF record says (RFC 7208 4.6, 5, 6, 7); no DNS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

enum spf_mechanism {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
};

struct spf_term {
	enum spf_mechanism mechanism;
	char qualifier;	 /* one of "+-?~" */
	struct str spec; /* domain-spec; empty: the current domain */
	uint8_t prefix4, prefix6;
	uint8_t network[16]; /* of ip4 and ip6 */
	struct str text;     /* as written */
};

struct spf_record {
	struct spf_term *terms;
	size_t n;
	bool has_redirect, has_exp;
	struct str redirect, exp;
};

/* Does the text begin as an SPF record does? */
bool spf_record_is(struct str text);

/* Slices of `text`. 0, or -EINVAL when anything in it is wrong: a record is not used in part. */
int must_check spf_record_parse(struct str text, struct arena *a, struct spf_record *out);

/* A part of a macro-string (RFC 7208 7.1). */
struct spf_piece {
	struct str literal; /* when letter is NUL */
	char letter;	    /* in lower case */
	bool escape;	    /* it was an upper-case one: the value is to be URL-escaped */
	unsigned keep;	    /* parts from the right; 0: all */
	bool reverse;
	struct str delimiters; /* empty: "." */
};

/* 1; 0 at the end; -EINVAL. */
int must_check spf_piece_next(struct str *rest, struct spf_piece *out);
