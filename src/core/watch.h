/* Which files changed since the last look. A look is one stat per file: it works on every file
 * system, on single-file mounts, and sees Kubernetes swap the link behind a mounted Secret. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/check.h"

#define WATCH_MAX 32

/* What tells one state of a file from another; all zero when there is none. */
struct watch_state {
	uint64_t device, inode;
	int64_t size;
	struct timespec modified, changed;
};

struct watch {
	const char *paths[WATCH_MAX]; /* borrowed */
	unsigned count;
	struct watch_state seen[WATCH_MAX];
};

/* Remember the present state of a path, which need not exist. Returns its number. */
unsigned watch_add(struct watch *w, const char *path);

/* A bit for each path whose file appeared, vanished, or is another or an altered one than at the
 * last look. */
uint32_t must_check watch_poll(struct watch *w);
