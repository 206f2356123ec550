/* The order of SORT (RFC 5256, with the names of RFC 5957). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct imap_found;
struct imap_lexer;
struct imap_session;

#define IMAP_SORT_RULES_MAX 16

enum imap_sort_key {
	IMAP_SORT_ARRIVAL,
	IMAP_SORT_CC,
	IMAP_SORT_DATE,
	IMAP_SORT_DISPLAYFROM,
	IMAP_SORT_DISPLAYTO,
	IMAP_SORT_FROM,
	IMAP_SORT_SIZE,
	IMAP_SORT_SUBJECT,
	IMAP_SORT_TO,
};

struct imap_sort {
	struct imap_sort_rule {
		enum imap_sort_key key;
		bool reverse;
	} rules[IMAP_SORT_RULES_MAX];
	size_t n;
};

/* "(REVERSE DATE SUBJECT)" */
int must_check imap_sort_parse(struct imap_lexer *lx, struct imap_sort *out);

/* Put what was found in order. 0, or the failure of the stream. */
int may_suspend must_check imap_sort_run(struct imap_session *s, const struct imap_sort *how,
					 struct imap_found *found);
