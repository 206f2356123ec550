/* Lines that are kept for reports made later: appended to a file, which becomes PATH.old when it
 * has grown enough. Short, and not worth a failure: what cannot be written is lost. */
#pragma once

#include <sys/types.h>

#include "base/str.h"

struct record_file {
	char *path, *old_path; /* NULL: nothing is kept */
	int fd;
	off_t size, max;
};

/* DIR/NAME. `dir` is there, or NULL. */
void record_file_open(struct record_file *f, const char *dir, const char *name, off_t max);
void record_file_close(struct record_file *f);

/* A line with its LF. */
void record_file_append(struct record_file *f, struct str line);
