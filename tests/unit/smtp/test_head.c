#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "smtp/head.h"

#define MAX ((size_t)1000)

static char text[4 * MAX];

/* A header of n bytes, fed in pieces of `step` together with the body behind it. */
static int feed(size_t n, size_t step, struct str *body)
{
	struct smtp_head h;
	int r = 0;

	memset(text, 'x', sizeof(text));
	memcpy(text, "A: ", 3);
	memcpy(text + n - 4, "\r\n\r\n", 4);
	smtp_head_init(&h, MAX);
	for (size_t at = 0; r == 0 && at < sizeof(text); at += step)
		r = smtp_head_feed(&h, str_sub(str_of(text, sizeof(text)), at, step), body);
	if (r > 0) {
		assert_int_equal(h.text.n, n);
		assert_memory_equal(h.text.p, text, n);
	}
	smtp_head_done(&h);
	return r;
}

static void the_limit_counts_the_header_and_not_the_body_behind_it(void **state)
{
	static const size_t steps[] = { 1, 7, 100, 600, 900, sizeof(text) };
	(void)state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct str body;
		for (size_t n = MAX - 5; n <= MAX; n++) {
			assert_int_equal(feed(n, steps[i], &body), 1);
			assert_ptr_equal(body.p, text + n);
		}
		for (size_t n = MAX + 1; n < MAX + 5; n++)
			assert_int_equal(feed(n, steps[i], &body), -E2BIG);
	}
}

static void a_wish_for_no_tls_is_found(void **state)
{
	static const struct {
		struct str text;
		bool wished;
	} cases[] = {
		{ STR_INIT("Subject: a\r\nTLS-Required: No\r\n\r\n"), true },
		{ STR_INIT("tls-required:no \r\n\r\n"), true },
		{ STR_INIT("TLS-Required: Yes\r\n\r\n"), false },
		{ STR_INIT("X-TLS-Required: No\r\n\r\n"), false },
		{ STR_INIT("Subject: TLS-Required: No\r\n\r\n"), false },
	};
	const struct smtp_head_limits limits = { 100, 65536 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_head_facts facts;
		assert_int_equal(smtp_head_examine(cases[i].text, &limits, &a, &facts), 0);
		assert_int_equal(facts.tls_optional, cases[i].wished);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_counts_the_header_and_not_the_body_behind_it),
		cmocka_unit_test(a_wish_for_no_tls_is_found),
	};
	return cmocka_run_group_tests_name("smtp/head", tests, NULL, NULL);
}
