/* postfix-accounts.cf: "user@domain|{SCHEME}hash|extra fields". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

#define ACCOUNTS_MAX 2000000

struct account {
	struct str login; /* lower case */
	struct str local; /* parts of login */
	struct str domain;
	struct str hash;  /* empty: nobody can log in, mail is delivered */
	struct str extra; /* blank-separated key=value, as the file has them */
	struct account *next;
};

struct accounts {
	struct map by_login;
	struct account *first; /* in the order of the file */
	struct account *last;
};

/* *t is zeroed; entries live in `a`, text outlives the table. */
void accounts_parse(struct accounts *t, struct arena *a, struct str text,
		    const struct file_report *report);
void accounts_done(struct accounts *t);

/* Take over an account of an earlier table, whose line in this one's file is broken. The login in
 * lower case. False when it was not there, or is here. */
bool accounts_keep(struct accounts *t, struct arena *a, const struct accounts *before,
		   struct str login);

/* The login in lower case; NULL when there is none. */
struct account *accounts_find(const struct accounts *t, struct str login);

/* The value of a field of the third column ("userdb_quota_rule"); false when it is not there. */
bool account_extra_get(const struct account *a, struct str key, struct str *value);

/* dovecot-masters.cf: "name|{SCHEME}hash", names without domain. */
void accounts_parse_masters(struct accounts *t, struct arena *a, struct str text,
			    const struct file_report *report);
