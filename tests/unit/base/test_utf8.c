#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/utf8.h"

static void valid_sequences_give_their_code_point(void **state)
{
	(void)state;
	static const struct {
		struct str bytes;
		uint32_t cp;
	} cases[] = {
		{ STR_INIT("\0"), 0 },
		{ STR_INIT("a"), 'a' },
		{ STR_INIT("\x7f"), 0x7f },
		{ STR_INIT("\xc2\x80"), 0x80 },
		{ STR_INIT("\xdf\xbf"), 0x7ff },
		{ STR_INIT("\xe0\xa0\x80"), 0x800 },
		{ STR_INIT("\xed\x9f\xbf"), 0xd7ff },
		{ STR_INIT("\xee\x80\x80"), 0xe000 },
		{ STR_INIT("\xef\xbf\xbf"), 0xffff },
		{ STR_INIT("\xf0\x90\x80\x80"), 0x10000 },
		{ STR_INIT("\xf4\x8f\xbf\xbf"), 0x10ffff },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = cases[i].bytes;
		uint32_t cp = 0;
		assert_int_equal(utf8_next(&s, &cp), 0);
		assert_int_equal(cp, cases[i].cp);
		assert_int_equal(s.n, 0);
		assert_int_equal(utf8_next(&s, &cp), -ENODATA);
	}
}

static void forbidden_sequences_cost_one_byte(void **state)
{
	(void)state;
	static const struct str cases[] = {
		STR_INIT("\x80"),
		STR_INIT("\xbf"),
		STR_INIT("\xc0\x80"),
		STR_INIT("\xc1\xbf"),
		STR_INIT("\xe0\x9f\xbf"),
		STR_INIT("\xf0\x8f\xbf\xbf"),
		STR_INIT("\xed\xa0\x80"),
		STR_INIT("\xed\xbf\xbf"),
		STR_INIT("\xf4\x90\x80\x80"),
		STR_INIT("\xf5\x80\x80\x80"),
		STR_INIT("\xfe"),
		STR_INIT("\xff"),
		STR_INIT("\xc2"),
		STR_INIT("\xc2 "),
		STR_INIT("\xe1\x80"),
		STR_INIT("\xe1\x80 "),
		STR_INIT("\xf1\x80\x80"),
		STR_INIT("\xf1\x80\x80\xc0"),
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = cases[i];
		uint32_t cp = 77;
		assert_int_equal(utf8_next(&s, &cp), -EILSEQ);
		assert_int_equal(cp, 77);
		assert_int_equal(s.n, cases[i].n - 1);
		assert_false(utf8_is_valid(cases[i]));
	}
}

static void every_code_point_survives(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp < 0x110000; cp++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 10);
		utf8_put(&b, cp);
		struct str s = buf_str(&b);
		uint32_t back = 0;
		if (utf8_next(&s, &back) < 0 || s.n ||
		    back != (cp >= 0xd800 && cp <= 0xdfff ? 0xfffd : cp))
			fail_msg("U+%04X came back as U+%04X", cp, back);
	}
}

static void what_cannot_be_encoded_becomes_the_replacement(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 10);

	utf8_put(&b, 0x110000);
	utf8_put(&b, 0xd800);
	utf8_put(&b, UINT32_MAX);
	assert_true(str_eq(buf_str(&b), STR("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")));
}

static void validity_is_that_of_all_bytes(void **state)
{
	(void)state;
	assert_true(utf8_is_valid(STR_NONE));
	assert_true(utf8_is_valid(STR("Gr\xc3\xbc\xc3\x9f"
				      "e, \xe4\xbd\xa0\xe5\xa5\xbd")));
	assert_false(utf8_is_valid(STR("Gr\xfc\xdf"
				       "e")));
	assert_false(utf8_is_valid(STR("cut \xe4\xbd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_sequences_give_their_code_point),
		cmocka_unit_test(forbidden_sequences_cost_one_byte),
		cmocka_unit_test(every_code_point_survives),
		cmocka_unit_test(what_cannot_be_encoded_becomes_the_replacement),
		cmocka_unit_test(validity_is_that_of_all_bytes),
	};
	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
