/* Compression of a stream (RFC 1951, as RFC 4978 uses it): a layer between its buffers and its
 * socket. Linked only with the library core_deflate. */
#pragma once

#include "base/check.h"

struct stream;

/* Flush, and from here on compress what is written and expand what is read; bytes in hand are
 * compressed already. The stream has no layer yet. 0, or the failure of the stream.
 *
 * Each write ends at a byte boundary, so the peer can read all of it. What both directions need is
 * given back when the stream trims itself; of what the peer may still refer to, that is as much as
 * it has sent, up to 32 KiB. */
int may_suspend must_check deflate_start(struct stream *s);
