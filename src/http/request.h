/* The head of an HTTP/1.1 request (RFC 9112 2-5). */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define HTTP_HEAD_MAX 8192

/* Points into the bytes it was parsed from. */
struct http_request {
	struct str method;
	struct str path;  /* "/metrics"; an absolute target is cut down to it */
	struct str query; /* behind the question mark, or empty */
	bool keep_alive;
	bool has_body; /* Content-Length other than 0, or Transfer-Encoding */
};

/* The head at the start of `bytes`: its length with the empty line, 0 when it is not complete, or
 * -EBADMSG. Complete heads are at most HTTP_HEAD_MAX long; the caller refuses to wait for more. */
int http_request_parse(struct str bytes, struct http_request *out);
