/* Failed logins make later ones wait: per user and client address, and per client address
 * alone. The tables have a fixed size, whatever a client invents; the entry that was quiet
 * longest makes room. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define THROTTLE_SETS 1024
#define THROTTLE_WAYS 4

struct throttle_entry {
	uint64_t key; /* 0: free */
	int64_t last;
	unsigned failures;
};

struct throttle_table {
	struct throttle_entry entries[THROTTLE_SETS][THROTTLE_WAYS];
};

struct login_throttle {
	struct throttle_table pairs;
	struct throttle_table clients;
	uint64_t seed;
};

struct login_attempt {
	uint64_t pair;
	uint64_t client;
};

/* *t is zeroed. */
void login_throttle_init(struct login_throttle *t);

/* An attempt begins, and counts as failed until it is known to be none: many at once gain nothing.
 * Returns how many milliseconds to wait before the password is looked at. */
int64_t login_throttle_begin(struct login_throttle *t, struct str user, struct str client,
			     int64_t now, struct login_attempt *out);

/* It was the right password: the pair starts anew. */
void login_throttle_succeeded(struct login_throttle *t, const struct login_attempt *a);

/* Nothing was looked at: it counts as nothing. */
void login_throttle_forget(struct login_throttle *t, const struct login_attempt *a);
