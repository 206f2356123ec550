/* Follow a growing log file, as `tail -F` does: the supervisor copies mail.log to standard output,
 * so that a standard output which nobody reads never stops a session. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

struct err;

struct log_tail {
	const char *path; /* borrowed */
	int fd;		  /* -1 while there is no such file */
	off_t offset;
};

/* Begin at the present end of the file; one that appears later is followed from its start. */
void log_tail_init(struct log_tail *t, const char *path);
void log_tail_done(struct log_tail *t);

/* Copy what is new to `out`, but only as much as it takes without blocking; call it again soon. A
 * file that was truncated starts over; one that was renamed is read to its end, then the new one
 * from its start. The number of bytes copied, or -Exxx of writing or reading. */
ssize_t must_check log_tail_copy(struct log_tail *t, int out, struct err *err);
