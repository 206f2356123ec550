#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "fake_dns.h"
#include "filter/iprev.h"

#define ZONE                                                                                       \
	"192.0.2.1 PTR mx.example.org\nmx.example.org A 192.0.2.9\nmx.example.org A 192.0.2.1\n"   \
	"192.0.2.2 PTR mx.example.org\n"                                                           \
	"192.0.2.3 PTR a.example\n192.0.2.3 PTR three.example\nthree.example A 192.0.2.3\n"        \
	"192.0.2.4 PTR slow.example\nslow.example A !\n"                                           \
	"192.0.2.5 PTR slow.example\n192.0.2.5 PTR five.example\nfive.example A 192.0.2.5\n"       \
	"192.0.2.6 PTR !\n"                                                                        \
	"192.0.2.7 PTR 192.0.2.7\n192.0.2.7 A 192.0.2.7\n"                                         \
	"192.0.2.8 PTR host\nhost A 192.0.2.8\n"                                                   \
	"192.0.2.10 PTR a(b).example\na(b).example A 192.0.2.10\n"                                 \
	"192.0.2.11 PTR 1.x\n192.0.2.11 PTR 2.x\n192.0.2.11 PTR 3.x\n192.0.2.11 PTR 4.x\n"         \
	"192.0.2.11 PTR 5.x\n5.x A 192.0.2.11\n"                                                   \
	"2001:db8::1 PTR six.example\nsix.example AAAA 2001:db8::1\n"

static void one_name_of_the_client_must_lead_back_to_it(void **state)
{
	(void)state;
	static const struct {
		struct str address;
		enum filter_iprev result;
		const char *name;
	} cases[] = {
		{ STR_INIT("192.0.2.1"), FILTER_IPREV_PASS, "mx.example.org" },
		{ STR_INIT("192.0.2.2"), FILTER_IPREV_FAIL, "mx.example.org" },
		{ STR_INIT("192.0.2.3"), FILTER_IPREV_PASS, "three.example" },
		{ STR_INIT("192.0.2.4"), FILTER_IPREV_TEMPERROR, "slow.example" },
		{ STR_INIT("192.0.2.5"), FILTER_IPREV_PASS, "five.example" },
		{ STR_INIT("192.0.2.6"), FILTER_IPREV_TEMPERROR, "" },
		{ STR_INIT("192.0.2.99"), FILTER_IPREV_PERMERROR, "" },
		{ STR_INIT("2001:db8::1"), FILTER_IPREV_PASS, "six.example" },
		{ STR_INIT("nobody"), FILTER_IPREV_NONE, "" },
		/* What is no name of a host proves nothing, wherever it leads. */
		{ STR_INIT("192.0.2.7"), FILTER_IPREV_FAIL, "192.0.2.7" },
		{ STR_INIT("192.0.2.8"), FILTER_IPREV_FAIL, "host" },
		{ STR_INIT("192.0.2.10"), FILTER_IPREV_FAIL, "a(b).example" },
		/* Four are followed. */
		{ STR_INIT("192.0.2.11"), FILTER_IPREV_FAIL, "4.x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct fake_dns dns = { .zone = STR(ZONE) };
		const struct lookup lookup = fake_dns_lookup(&dns);
		struct iprev found;
		struct str address = iprev_address(cases[i].address, &a);
		assert_int_equal(iprev_find(&lookup, address, &a, &found), 0);
		assert_int_equal(found.result, cases[i].result);
		assert_string_equal(arena_cstr(&a, found.name), cases[i].name);
		assert_true(dns.questions <= 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_name_of_the_client_must_lead_back_to_it),
	};
	return cmocka_run_group_tests_name("filter/iprev", tests, NULL, NULL);
}
