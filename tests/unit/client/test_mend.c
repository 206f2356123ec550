#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "client/mend.h"

static struct str mend(struct str in, size_t step, struct arena *a)
{
	struct mend m = MEND_INIT;
	struct buf out;

	buf_init(&out, a, 1000);
	for (size_t i = 0; i < in.n; i += step)
		mend_bytes(&m, str_sub(in, i, step), &out);
	mend_end(&m, &out);
	assert_false(buf_failed(&out));
	return buf_str(&out);
}

static void whatever_comes_becomes_lines_that_smtp_takes(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
		{ STR_INIT(""), STR_INIT("") },
		{ STR_INIT("a\r\nb\r\n"), STR_INIT("a\r\nb\r\n") },
		{ STR_INIT("a\nb\n"), STR_INIT("a\r\nb\r\n") },
		{ STR_INIT("a\r\nb\n\n"), STR_INIT("a\r\nb\r\n\r\n") },
		{ STR_INIT("no end"), STR_INIT("no end\r\n") },
		{ STR_INIT("."), STR_INIT("..\r\n") },
		{ STR_INIT(".\n"), STR_INIT("..\r\n") },
		{ STR_INIT("a\n.\nb"), STR_INIT("a\r\n..\r\nb\r\n") },
		{ STR_INIT("a\r\n..b.\r\n"), STR_INIT("a\r\n...b.\r\n") },
		{ STR_INIT("a\rb"), STR_INIT("a b\r\n") },
		{ STR_INIT("a\r.\rb\n"), STR_INIT("a . b\r\n") },
		{ STR_INIT("\r.\n"), STR_INIT(" .\r\n") },
		{ STR_INIT("a\r\r\nb"), STR_INIT("a \r\nb\r\n") },
		{ STR_INIT("a\r"), STR_INIT("a \r\n") },
		{ STR_INIT("\r"), STR_INIT(" \r\n") },
		{ STR_INIT("a\0b\n"), STR_INIT("a b\r\n") },
		{ STR_INIT("\0.\n"), STR_INIT(" .\r\n") },
		{ STR_INIT("\xe4\n"), STR_INIT("\xe4\r\n") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t step = 1; step <= cases[i].in.n + 1; step++) {
			auto_arena struct arena a = ARENA_INIT;
			struct str out = mend(cases[i].in, step, &a);
			assert_int_equal(out.n, cases[i].out.n);
			assert_true(str_eq(out, cases[i].out));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_comes_becomes_lines_that_smtp_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
