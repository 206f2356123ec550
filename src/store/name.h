/* Mailbox names as clients give them: UTF-8, levels separated by '.'. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

/* May this be the name of a mailbox? Nothing that passes can leave a directory or look like a file
 * of the store: no '/', no control characters, no empty level. 0, -EINVAL, -ENAMETOOLONG, or -E2BIG
 * for too many levels. */
int must_check store_name_check(struct str name, struct err *err);

/* With "INBOX", which may be in any case, as its first level spelled like that; a new string is in
 * `a`. Canonical names are equal when they mean one mailbox. */
struct str store_name_canonical(struct arena *a, struct str name);

static inline bool store_name_is_inbox(struct str name)
{
	return str_eq_nocase(name, STR("INBOX"));
}

/* Is `name` below `parent`? */
bool store_name_is_below(struct str name, struct str parent);

/* A.B of A.B.C; empty for a name of one level. */
struct str store_name_parent(struct str name);

/* Order of mailbox lists: INBOX first, parents directly before their children. */
int store_name_cmp(struct str a, struct str b);

/* May this be a keyword: an IMAP atom that is no system flag, at most STORE_KEYWORD_LEN bytes? */
bool store_keyword_is_valid(struct str keyword);
