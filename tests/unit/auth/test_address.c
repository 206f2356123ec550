#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/address.h"
#include "base/arena.h"

static void an_extension_follows_the_first_delimiter(void **state)
{
	(void)state;
	static const struct {
		struct str local;
		char delimiter;
		bool split;
		struct str base, extension;
	} cases[] = {
		{ STR_INIT("a+b"), '+', true, STR_INIT("a"), STR_INIT("+b") },
		{ STR_INIT("a+b+c"), '+', true, STR_INIT("a"), STR_INIT("+b+c") },
		{ STR_INIT("a+"), '+', true, STR_INIT("a"), STR_INIT("+") },
		{ STR_INIT("+b"), '+', false, STR_INIT(""), STR_INIT("") },
		{ STR_INIT("a"), '+', false, STR_INIT(""), STR_INIT("") },
		{ STR_INIT("a~b"), '~', true, STR_INIT("a"), STR_INIT("~b") },
		{ STR_INIT("a+b"), 0, false, STR_INIT(""), STR_INIT("") },
		{ STR_INIT("MAILER-DAEMON"), '-', false, STR_INIT(""), STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str base = STR(""), extension = STR("");
		assert_int_equal(address_split_extension(cases[i].local, cases[i].delimiter, &base,
							 &extension),
				 cases[i].split);
		assert_true(str_eq(base, cases[i].base));
		assert_true(str_eq(extension, cases[i].extension));
	}
}

static void quotes_that_protect_nothing_are_dropped(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	static const struct str cases[][2] = {
		{ STR_INIT("\"a.b\"@c.d"), STR_INIT("a.b@c.d") },
		{ STR_INIT("\"a b\"@c.d"), STR_INIT("\"a b\"@c.d") },
		{ STR_INIT("\"a@b\"@c.d"), STR_INIT("\"a@b\"@c.d") },
		{ STR_INIT("\"\"@c.d"), STR_INIT("\"\"@c.d") },
		{ STR_INIT("a@c.d"), STR_INIT("a@c.d") },
		{ STR_INIT("\"a\""), STR_INIT("a") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(str_eq(address_unquote(&a, cases[i][0]), cases[i][1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_extension_follows_the_first_delimiter),
		cmocka_unit_test(quotes_that_protect_nothing_are_dropped),
	};
	return cmocka_run_group_tests_name("auth/address", tests, NULL, NULL);
}
