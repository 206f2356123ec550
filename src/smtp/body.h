/* Where a message's bytes go while they arrive: memory while it is small, an unlinked file in
 * the spool directory when it grows. Either way a descriptor, which is what the queue takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct err;

struct smtp_body {
	int fd; /* -1 before the first byte */
	uint64_t size;
	uint64_t memory_max;
	int spool; /* directory, or -1: never leave the memory */
	bool in_file;
};

#define SMTP_BODY_PIECES 64

void smtp_body_init(struct smtp_body *b, int spool, uint64_t memory_max);
void smtp_body_done(struct smtp_body *b);

/* Append `count` (at most SMTP_BODY_PIECES) slices. A file is written in a worker thread. 0,
 * -ENOSPC, -EIO and other errors of write(2); then the body is of no more use. */
int may_suspend must_check smtp_body_write(struct smtp_body *b, const struct str *pieces,
					   size_t count, struct err *err);
