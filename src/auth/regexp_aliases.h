/* postfix-regexp.cf (pcre_table(5)): "/pattern/flags result", "!/pattern/flags result", and
 * blocks of "if /pattern/flags" ... "endif". The first rule that matches an address gives its
 * targets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/file_lines.h"
#include "base/str.h"

struct arena;
struct err;
struct regexp_rule;

#define REGEXP_RULES_MAX  10000
#define REGEXP_RESULT_MAX 8192

struct regexp_aliases {
	struct regexp_rule *first; /* in the order of the file */
	struct regexp_rule *last;
	size_t count;
};

/* *t is zeroed; entries live in `a`, text outlives the table. */
void regexp_aliases_parse(struct regexp_aliases *t, struct arena *a, struct str text,
			  const struct file_report *report);
void regexp_aliases_done(struct regexp_aliases *t);

/* The result of the first rule that matches, with $1 and ${1} filled in, allocated in `a`.
 * Returns 1, 0 when no rule matches, -ELOOP when a pattern needs too many steps for this address,
 * -EOVERFLOW when the result is too long. */
int must_check regexp_aliases_find(const struct regexp_aliases *t, struct str address,
				   struct arena *a, struct str *result, struct err *err);
