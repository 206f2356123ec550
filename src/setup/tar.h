/* Tar archives (POSIX.1-1988 ustar, long names as GNU tar writes them; pax paths are read):
 * regular files only, one after the other. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"

/* `path` has a NUL behind it. */
struct tar_entry {
	struct str path;
	struct str contents;
	int64_t mtime;
};

/* Failures show in ferror. */
void tar_write(FILE *out, const struct tar_entry *e);
/* Behind the last entry. */
void tar_write_end(FILE *out);

/* The next regular file of at most `max` bytes (larger ones are -EFBIG); other kinds are passed
 * over. Everything in `a`. 1; 0 at the end; -EBADMSG: this is no tar archive, or it is cut
 * short. */
int must_check tar_read(FILE *in, size_t max, struct arena *a, struct tar_entry *out);
