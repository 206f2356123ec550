#include "http/request.h"

#include <errno.h>

/* RFC 9110 5.6.2 */
static bool is_token(struct str s)
{
	static const struct str separators = STR_INIT("\"(),/:;<=>?@[\\]{}");

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c >= 0x7f || str_find_byte(separators, s.p[i]) >= 0)
			return false;
	}
	return s.n > 0;
}

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

/* "/path?query", or "http://host/path?query" (RFC 9112 3.2). */
static bool parse_target(struct str target, struct http_request *r)
{
	if (str_starts_nocase(target, STR("http://"))) {
		target = str_skip(target, 7);
		ssize_t slash = str_find_byte(target, '/');
		target = slash < 0 ? STR("/") : str_skip(target, (size_t)slash);
	}
	str_cut(target, '?', &r->path, &r->query);
	return r->path.n > 0 && r->path.p[0] == '/';
}

static bool parse_request_line(struct str line, struct http_request *r)
{
	struct str target, version;

	if (!str_cut(line, ' ', &r->method, &line) || !str_cut(line, ' ', &target, &version))
		return false;
	if (str_eq(version, STR("HTTP/1.1")))
		r->keep_alive = true;
	else if (!str_eq(version, STR("HTTP/1.0")))
		return false;
	return is_token(r->method) && is_visible(target) && parse_target(target, r);
}

static bool parse_field(struct str line, struct http_request *r)
{
	struct str name, value;

	/* RFC 9112 5.1: no blank before the colon; 5.2: no folded lines. */
	if (!str_cut(line, ':', &name, &value) || !is_token(name))
		return false;
	value = str_trim(value);
	if (str_eq_nocase(name, STR("connection"))) {
		if (str_eq_nocase(value, STR("close")))
			r->keep_alive = false;
	} else if (str_eq_nocase(name, STR("transfer-encoding"))) {
		r->has_body = true;
	} else if (str_eq_nocase(name, STR("content-length"))) {
		r->has_body = r->has_body || !str_eq(value, STR("0"));
	}
	return true;
}

int http_request_parse(struct str bytes, struct http_request *out)
{
	struct http_request r = { 0 };
	ssize_t end = str_find(bytes, STR("\r\n\r\n"));

	if (end < 0)
		return 0;
	struct str rest = str_sub(bytes, 0, (size_t)end + 2);
	for (bool first = true; rest.n; first = false) {
		size_t n = (size_t)str_find(rest, STR("\r\n"));
		struct str line = str_sub(rest, 0, n);
		if (first ? !parse_request_line(line, &r) : !parse_field(line, &r))
			return -EBADMSG;
		rest = str_skip(rest, n + 2);
	}
	*out = r;
	return (int)end + 4;
}
