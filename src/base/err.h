/* A reason for a failure, for logs and operators; never shown to a peer. */
#pragma once

#include "base/check.h"

#define ERR_TEXT_MAX 256

struct err {
	int code; /* -Exxx, the value the failing function returned */
	char text[ERR_TEXT_MAX];
};

/* All of these accept err == NULL, cut the text at ERR_TEXT_MAX and return the code, so that a
 * failing function ends with `return err_set(...)`. */

/* code is negative (-EINVAL). */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The code is -errno, and strerror(errno) follows the text after a colon. Preserves nothing
 * else. */
int err_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put context before a text that is already there: "accounts file x: line 3: no separator". Returns
 * err->code, or -EIO without err: return the code you hold where err may be NULL. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
