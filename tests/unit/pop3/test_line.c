#include "pop3/line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_line_is_a_keyword_and_words(void **state)
{
	static const struct {
		const char *line, *keyword, *args, *first;
		unsigned count;
	} cases[] = {
		{ "NOOP\r\n", "NOOP", "", "", 0 },
		{ "stat\n", "stat", "", "", 0 },
		{ "RETR 1\r\n", "RETR", "1", "1", 1 },
		{ "TOP 1 10\r\n", "TOP", "1 10", "1", 2 },
		{ "TOP  1   10 \r\n", "TOP", " 1   10 ", "1", 2 },
		{ "PASS two words \r\n", "PASS", "two words ", "two", 2 },
		{ "X a b c d e\r\n", "X", "a b c d e", "a", 5 },
		{ "\r\n", "", "", "", 0 },
		{ " x\r\n", "", "x", "x", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pop3_line line = pop3_line_parse(str_from(cases[i].line));
		assert_true(str_eq(line.keyword, str_from(cases[i].keyword)));
		assert_true(str_eq(line.args, str_from(cases[i].args)));
		assert_true(str_eq(line.arg[0], str_from(cases[i].first)));
		assert_int_equal(line.count, cases[i].count);
	}
}

static void numbers_are_decimal_and_fit_32_bits(void **state)
{
	static const char *const bad[] = { "",	  "-1", "+1",	      "1x",
					   "x",	  " 1", "4294967296", "99999999999999999999999",
					   "0x10" };
	uint32_t n;

	(void)state;
	assert_int_equal(pop3_number_parse(STR("4294967295"), &n), 0);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(pop3_number_parse(STR("007"), &n), 0);
	assert_int_equal(n, 7);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(pop3_number_parse(str_from(bad[i]), &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_keyword_and_words),
		cmocka_unit_test(numbers_are_decimal_and_fit_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
