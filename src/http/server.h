/* One connection of an HTTP client: requests in turn, each answered from a table of routes. */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "http/request.h"

struct stream;

struct http_response {
	unsigned status;  /* 200 before the route says otherwise */
	const char *type; /* "text/plain; charset=utf-8" likewise */
	struct buf body;  /* bounded; one that has failed is answered with 500 */
};

struct http_route {
	const char *path;
	void may_suspend (*answer)(const struct http_request *request, struct http_response *r);
};

/* Serve the routes until the client ends, is silent for too long, asks for something that ends the
 * connection, or the fiber is cancelled. */
void may_suspend http_serve(struct stream *s, const struct http_route *routes, size_t count);
