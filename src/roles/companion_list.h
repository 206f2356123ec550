/* Which programs of others run beside the server, and how each is called. */
#pragma once

#include <stdint.h>

#include "base/check.h"

struct arena;
struct err;
struct settings;

#define COMPANIONS_MAX	   64
#define COMPANION_ARGS_MAX 16

struct companion {
	const char *name;    /* for the log, and of its files */
	const char *setting; /* that asks for it */
	const char *program; /* looked for in PATH */
	const char *argv[COMPANION_ARGS_MAX + 1];
	int64_t every; /* ms from the end of one run to the next; 0: it stays */
};

struct companion_list {
	struct companion v[COMPANIONS_MAX];
	unsigned count;
};

/* Everything the settings ask for; writes the configuration files that they need below the state
 * volume. Strings live in `a`. -errno when a file cannot be read or written. */
int must_check companion_list_make(const struct settings *set, struct arena *a,
				   struct companion_list *out, struct err *err);
