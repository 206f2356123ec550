#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "courier/http_response.h"

#define OK "HTTP/1.1 200 OK\r\n"

static void an_answer_has_a_body_or_a_reason(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	static const struct {
		const char *text;
		bool ended;
		int result;
		const char *body;
	} cases[] = {
		{ OK "Content-Length: 3\r\n\r\nabc", false, 0, "abc" },
		{ OK "content-length: 3\r\n\r\nabcdef", false, 0, "abc" },
		{ OK "Content-Length: 3\r\n\r\nab", false, -EAGAIN, NULL },
		{ OK "Content-Length: 3\r\n\r\nab", true, -EINVAL, NULL },
		{ OK "Content-Length: x\r\n\r\nab", true, -EINVAL, NULL },
		{ OK "\r\nabc", true, 0, "abc" },
		{ OK "\r\nabc", false, -EAGAIN, NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", false,
		  0, "abc" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, -EAGAIN, NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", true, -EINVAL, NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", false, -EINVAL, NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", false, -EINVAL, NULL },
		{ OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n", false, -EINVAL, NULL },
		{ OK "Transfer-Encoding: gzip\r\n\r\n", true, -EINVAL, NULL },
		{ OK "Content-Encoding: gzip\r\n\r\n", true, -EINVAL, NULL },
		{ "HTTP/1.1 301 Moved\r\n\r\n", true, -EINVAL, NULL },
		{ "HTTP/1.1 2000\r\n\r\n", true, 0, "" },
		{ "HTTP/2 200\r\n\r\n", true, -EINVAL, NULL },
		{ "220 mx ESMTP\r\n\r\n", true, -EINVAL, NULL },
		{ "\r\n\r\n" OK, true, -EINVAL, NULL },
		{ OK, false, -EAGAIN, NULL },
		{ OK, true, -EINVAL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str body = STR_NONE;
		int r = http_response_parse(str_from(cases[i].text), cases[i].ended, &a, &body,
					    NULL);
		if (r != cases[i].result || (r == 0 && !str_eq(body, str_from(cases[i].body))))
			fail_msg("%zu: %s: %d", i, cases[i].text, r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_has_a_body_or_a_reason),
	};
	return cmocka_run_group_tests_name("courier/http_response", tests, NULL, NULL);
}
