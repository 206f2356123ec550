/* A session of a mailbox worker on a scratch account, fed with all of its input. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct store_pool;
struct stream;

typedef void scratch_serve_fn(struct stream *s, struct store_pool *pool, struct str mail_path);

/* Serve this input on a fresh account with some messages. `out` (on the heap, not initialised) gets
 * what the session said. False: the input is too large, or there is no room for the account. */
bool scratch_session_run(const uint8_t *data, size_t n, scratch_serve_fn *serve, struct buf *out);
