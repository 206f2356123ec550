#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "http/request.h"

static void good_heads_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *path, *query;
		bool keep_alive, has_body;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "/", "", true, false },
		{ "GET /metrics?a=b&c HTTP/1.1\r\n\r\n", "/metrics", "a=b&c", true, false },
		{ "HEAD /x HTTP/1.1\r\nConnection:  close \r\n\r\n", "/x", "", false, false },
		{ "GET /x HTTP/1.0\r\n\r\n", "/x", "", false, false },
		{ "GET http://host:80/x?y HTTP/1.1\r\n\r\n", "/x", "y", true, false },
		{ "GET http://host HTTP/1.1\r\n\r\n", "/", "", true, false },
		{ "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "/", "", true, true },
		{ "GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "/", "", true, false },
		{ "GET / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\n\r\n", "/", "", true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request r;
		size_t n = strlen(cases[i].bytes);
		assert_int_equal(http_request_parse(str_from(cases[i].bytes), &r), n);
		assert_true(str_eq(r.path, str_from(cases[i].path)));
		assert_true(str_eq(r.query, str_from(cases[i].query)));
		assert_int_equal(r.keep_alive, cases[i].keep_alive);
		assert_int_equal(r.has_body, cases[i].has_body);
		/* Not before the empty line is there. */
		assert_int_equal(http_request_parse(str_of(cases[i].bytes, n - 1), &r), 0);
	}
}

static void anything_else_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/2\r\n\r\n",
		"GET  / HTTP/1.1\r\n\r\n",
		"GET x HTTP/1.1\r\n\r\n",
		"G(T / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1 \r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\nName : value\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
		"GET /\x01 HTTP/1.1\r\n\r\n",
	};
	struct http_request r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (http_request_parse(str_from(cases[i]), &r) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_heads_are_read),
		cmocka_unit_test(anything_else_is_refused),
	};
	return cmocka_run_group_tests_name("http/request", tests, NULL, NULL);
}
