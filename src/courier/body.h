/* The content of a message: a stretch of a file that others use too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct body {
	int fd; /* borrowed */
	uint64_t offset, length;
};

/* What is read at once. */
#define BODY_BLOCK ((size_t)65536)

/* Read n bytes at `at`; in a thread when the disk has to be asked. 0, or -errno. */
int may_suspend must_check body_read(const struct body *b, uint64_t at, char *to, size_t n);

/* What must be known before it is sent to a server that does not take everything. */
struct body_traits {
	bool eight_bit;	     /* bytes above 0x7f, anywhere */
	bool eight_bit_head; /* ...in the header */
	bool binary;	     /* NUL, or a CR or LF that stands alone */
};
int may_suspend must_check body_examine(const struct body *b, char *block, struct body_traits *out);
