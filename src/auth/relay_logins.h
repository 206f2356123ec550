/* postfix-sasl-password.cf: "@domain user:password", "user@domain user:password", or
 * "[host]:port user:password". */
#pragma once

#include <stdbool.h>

#include "auth/file_lines.h"
#include "base/map.h"
#include "base/str.h"

struct arena;

struct relay_login {
	struct str key; /* lower case */
	struct str user, password;
};

struct relay_logins {
	struct map by_key;
};

/* *t is zeroed; entries live in `a`. */
void relay_logins_parse(struct relay_logins *t, struct arena *a, struct str text,
			const struct file_report *report);
void relay_logins_done(struct relay_logins *t);

/* As accounts_keep. */
bool relay_logins_keep(struct relay_logins *t, struct arena *a, const struct relay_logins *before,
		       struct str key);

/* For an envelope sender in lower case: its own line, or its domain's. NULL when there is none. */
const struct relay_login *relay_logins_of_sender(const struct relay_logins *t, struct str sender);

/* For a next hop, as it is written there. */
const struct relay_login *relay_logins_of_nexthop(const struct relay_logins *t, struct str nexthop);
