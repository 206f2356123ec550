#include "http/server.h"

#include <errno.h>

#include "base/arena.h"
#include "core/stream.h"

#define IDLE_MS	     10000
#define REQUESTS_MAX 100
#define BODY_MAX     (1u << 20)

static const char *reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

static void may_suspend send_response(struct stream *s, const struct http_response *r,
				      bool keep_alive, bool head)
{
	struct str body = buf_str(&r->body);

	stream_printf(s,
		      "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		      "Cache-Control: no-store\r\n%s%s\r\n",
		      r->status, reason(r->status), r->type, body.n,
		      r->status == 405 ? "Allow: GET, HEAD\r\n" : "",
		      keep_alive ? "" : "Connection: close\r\n");
	if (!head)
		stream_write(s, body);
}

static void fail(struct http_response *r, unsigned status)
{
	r->status = status;
	r->type = "text/plain; charset=utf-8";
	buf_clear(&r->body);
	buf_printf(&r->body, "%u %s\n", status, reason(status));
}

static void may_suspend answer(const struct http_request *q, const struct http_route *routes,
			       size_t count, struct http_response *r)
{
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(q->path, str_from(routes[i].path)))
			continue;
		routes[i].answer(q, r);
		if (buf_failed(&r->body))
			fail(r, 500);
		return;
	}
	fail(r, 404);
}

/* A complete head is in the stream: its length, or 0 when the connection is over, or the status
 * that says why there will be none, negative. */
static int may_suspend read_head(struct stream *s, struct http_request *q)
{
	for (;;) {
		struct str bytes = stream_peek(s);
		int n = http_request_parse(str_sub(bytes, 0, HTTP_HEAD_MAX), q);
		if (n < 0)
			return -400;
		if (n > 0)
			return n;
		if (bytes.n >= HTTP_HEAD_MAX)
			return -431;
		if (stream_fill(s, HTTP_HEAD_MAX) <= 0)
			return 0;
	}
}

/* False: the connection is over. */
static bool may_suspend serve_one(struct stream *s, const struct http_route *routes, size_t count,
				  bool last)
{
	auto_arena struct arena a = ARENA_INIT;
	struct http_request q = { 0 };
	struct http_response r = { .status = 200, .type = "text/plain; charset=utf-8" };

	int n = read_head(s, &q);
	if (n == 0)
		return false;
	buf_init(&r.body, &a, BODY_MAX);
	bool head = str_eq(q.method, STR("HEAD"));
	if (n < 0)
		fail(&r, (unsigned)-n);
	else if (!head && !str_eq(q.method, STR("GET")))
		fail(&r, 405);
	else if (q.has_body)
		fail(&r, 413);
	else
		answer(&q, routes, count, &r);

	bool keep_alive = n > 0 && q.keep_alive && !q.has_body && !last;
	send_response(s, &r, keep_alive, head);
	if (n > 0)
		stream_consume(s, (size_t)n);
	return stream_flush(s) == 0 && keep_alive;
}

void http_serve(struct stream *s, const struct http_route *routes, size_t count)
{
	unsigned served = 0;

	stream_set_idle(s, IDLE_MS);
	while (serve_one(s, routes, count, served + 1 == REQUESTS_MAX))
		served++;
}
