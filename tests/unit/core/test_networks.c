#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/networks.h"

static void an_address_is_within_one_of_the_networks_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *networks, *address;
		bool within;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/25", "192.0.2.128", false },
		{ "10.0.0.0/8, 192.0.2.0/24", "192.0.2.9", true },
		{ "0.0.0.0/0", "203.0.113.7", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/33", "2001:db8:ffff::1", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "::1", "::1", true },
		{ "192.0.2.0/33", "192.0.2.0", false },
		{ "192.0.2.0/x", "192.0.2.0", false },
		{ "nonsense,192.0.2.1", "192.0.2.1", true },
		{ "", "192.0.2.1", false },
		{ "192.0.2.1", "", false },
		{ "0.0.0.0/0", "nonsense", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (networks_hold(str_from(cases[i].networks), str_from(cases[i].address)) !=
		    cases[i].within)
			fail_msg("%s in %s", cases[i].address, cases[i].networks);
}

static void the_first_network_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *networks, *wrong;
	} cases[] = {
		{ "", NULL },
		{ "10.0.0.0/8, 2001:db8::/32,127.0.0.1", NULL },
		{ "10.0.0.0/8, 10.0.0/8", "10.0.0/8" },
		{ "10.0.0.0/33", "10.0.0.0/33" },
		{ "10.0.0.0/8,,::1", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str wrong = STR("(none)");
		bool valid = networks_are_valid(str_from(cases[i].networks), &wrong);
		assert_true(valid == !cases[i].wrong);
		if (!valid)
			assert_true(str_eq(wrong, str_from(cases[i].wrong)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_network_that_cannot_be_read_is_named),
		cmocka_unit_test(an_address_is_within_one_of_the_networks_or_not),
	};
	return cmocka_run_group_tests_name("core/networks", tests, NULL, NULL);
}
