#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_counts_the_header_and_not_the_body_behind_it),
	};
	return cmocka_run_group_tests_name("smtp/head", tests, NULL, NULL);
}
