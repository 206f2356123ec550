/* One small document over HTTPS. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct courier;
struct err;

struct https_question {
	const char *host; /* its certificate is checked against this name */
	const char *path;
	uint16_t port;
	size_t max; /* bytes of the body */
};

/* The body of a 200, in `a`. Nobody is followed elsewhere. 0, or -EXXX with the reason; within the
 * limit of the fiber. */
int may_suspend must_check https_get(struct courier *c, const struct https_question *q,
				     struct arena *a, struct str *body, struct err *err);
