/* One small document over HTTPS. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct courier_config;
struct err;
struct ipc_client;
struct tls_roots;

/* With what it is asked. */
struct https_client {
	const struct courier_config *config; /* how to connect */
	struct ipc_client *dns;
	struct tls_roots *roots;
};

struct https_question {
	const char *host; /* its certificate is checked against this name */
	const char *path;
	uint16_t port;
	size_t max; /* bytes of the body */
};

/* The body of a 200, in `a`. Nobody is followed elsewhere. 0, or -EXXX with the reason; within the
 * limit of the fiber. */
int may_suspend must_check https_get(const struct https_client *c, const struct https_question *q,
				     struct arena *a, struct str *body, struct err *err);
