#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/str.h"

static void words_are_taken_in_order(void **state)
{
	(void)state;
	struct str rest = STR("  MAIL\tFROM:<a@b> "), word;

	assert_true(str_next_word(&rest, &word));
	assert_true(str_eq(word, STR("MAIL")));
	assert_true(str_next_word(&rest, &word));
	assert_true(str_eq(word, STR("FROM:<a@b>")));
	assert_false(str_next_word(&rest, &word));
}

static void numbers_are_whole_strings_within_their_limit(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		int result;
		uint64_t value;
	} cases[] = {
		{ STR_INIT("0"), 0, 0 },
		{ STR_INIT("250"), 0, 250 },
		{ STR_INIT("256"), -ERANGE, 0 },
		{ STR_INIT("99999999999999999999999"), -ERANGE, 0 },
		{ STR_INIT(""), -EINVAL, 0 },
		{ STR_INIT("-1"), -EINVAL, 0 },
		{ STR_INIT("1x"), -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;
		assert_int_equal(str_to_u64(cases[i].text, 255, &v), cases[i].result);
		assert_int_equal(v, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_taken_in_order),
		cmocka_unit_test(numbers_are_whole_strings_within_their_limit),
	};
	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
