/* What accounts and master accounts have in common: lines "name|hash|extra". */
#pragma once

#include <stdbool.h>

#include "setup/setup.h"

struct account_file {
	const char *file;
	bool with_domain; /* names are user@domain */
};

extern const struct account_file account_file_users;
extern const struct account_file account_file_masters;

/* Names are kept in lower case; say so when that changes what was asked for. */
struct str account_normalize(struct setup *s, struct str name);

/* Is there an account? Negative: the file cannot be read, and that has been said. */
int must_check account_exists(struct setup *s, const struct account_file *f, struct str name);

/* Add an account, or give an existing one another password and leave the rest of its line. The
 * password is asked for when it is empty. */
enum setup_exit account_add(struct setup *s, const struct account_file *f, struct str name,
			    struct str password);
enum setup_exit account_update(struct setup *s, const struct account_file *f, struct str name,
			       struct str password);
