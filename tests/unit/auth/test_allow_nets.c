#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/allow_nets.h"

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
		if (allow_nets_match(str_from(cases[i].networks), str_from(cases[i].address)) !=
		    cases[i].within)
			fail_msg("%s in %s", cases[i].address, cases[i].networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_within_one_of_the_networks_or_not),
	};
	return cmocka_run_group_tests_name("auth/allow_nets", tests, NULL, NULL);
}
