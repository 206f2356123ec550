/* Mail addresses as keys of the account tables: "local+extension@domain". */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

/* RFC 5321 4.5.3.1 allows 64 + 255; extensions carried through aliases may lengthen the local
 * part. */
#define ADDRESS_MAX 512

struct address {
	struct str whole;  /* local@domain, or only a local part */
	struct str local;  /* with its extension */
	struct str domain; /* empty when there is none */
};

/* Split at the last '@'; the parts are slices of s. */
struct address address_split(struct str s);

/* Lower-case copy: the form in which keys are stored and looked up. */
struct str address_fold(struct arena *a, struct str s);

/* "user+ext" -> "user" and "+ext". False without an extension; system addresses that merely hold
 * the delimiter (a leading one, mailer-daemon) have none. delimiter 0: there are no extensions. */
bool address_split_extension(struct str local, char delimiter, struct str *base,
			     struct str *extension);

/* A quoted local part that needs no quotes loses them: both forms are the same mailbox. */
struct str address_unquote(struct arena *a, struct str s);

/* May it name a mailbox, thus a directory <domain>/<local>? */
bool address_is_mailbox_name(struct str s);
