/* The answer to a GET of HTTP/1.1 (RFC 9112), as much of it as a small document needs. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

/* `bytes` is what has come; `ended`: nothing more will. The body of a 200, in `a`. 0; -EAGAIN: more
 * has to come; -EINVAL with the reason: no HTTP, or not 200 (nobody is followed elsewhere), or cut
 * off. */
int must_check http_response_parse(struct str bytes, bool ended, struct arena *a, struct str *body,
				   struct err *err);
