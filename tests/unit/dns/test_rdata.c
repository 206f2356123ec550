#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "dns/rdata.h"

static void an_mx_has_a_preference_and_a_host(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_mx mx;

	assert_int_equal(dns_mx_parse(STR("\1\2\2Mx\7example\0"), &a, &mx), 0);
	assert_int_equal(mx.preference, 258);
	assert_string_equal(mx.host.p, "mx.example");
	assert_int_equal(dns_mx_parse(STR("\0\0\0"), &a, &mx), 0);
	assert_int_equal(mx.preference, 0);
	assert_int_equal(mx.host.n, 0);
}

static void an_srv_has_a_port_and_a_target(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_srv srv;

	assert_int_equal(dns_srv_parse(STR("\0\1\0\2\0\31\1h\0"), &a, &srv), 0);
	assert_int_equal(srv.priority, 1);
	assert_int_equal(srv.weight, 2);
	assert_int_equal(srv.port, 25);
	assert_string_equal(srv.target.p, "h");
}

static void tlsa_and_caa_are_cut_into_their_fields(void **state)
{
	(void)state;
	struct dns_tlsa tlsa;
	struct dns_caa caa;

	assert_int_equal(dns_tlsa_parse(STR("\3\1\1abc"), &tlsa), 0);
	assert_int_equal(tlsa.usage, 3);
	assert_int_equal(tlsa.selector, 1);
	assert_int_equal(tlsa.matching, 1);
	assert_true(str_eq(tlsa.data, STR("abc")));
	assert_int_equal(dns_caa_parse(STR("\200\5issueca.example"), &caa), 0);
	assert_int_equal(caa.flags, 128);
	assert_true(str_eq(caa.tag, STR("issue")));
	assert_true(str_eq(caa.value, STR("ca.example")));
}

static void the_strings_of_a_txt_record_are_joined(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str text;

	assert_int_equal(dns_txt_parse(STR("\7v=spf1 \4-all\0"), &a, &text), 0);
	assert_string_equal(text.p, "v=spf1 -all");
	assert_int_equal(dns_txt_parse(STR("\0"), &a, &text), 0);
	assert_int_equal(text.n, 0);
}

static void what_is_cut_or_too_long_is_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dns_tlsa tlsa;
	struct dns_srv srv;
	struct dns_caa caa;
	struct dns_mx mx;
	struct str text;

	assert_int_equal(dns_mx_parse(STR(""), &a, &mx), -74);
	assert_int_equal(dns_mx_parse(STR("\0\1"), &a, &mx), -74);
	assert_int_equal(dns_mx_parse(STR("\0\1\1a"), &a, &mx), -74);
	assert_int_equal(dns_mx_parse(STR("\0\1\1a\0x"), &a, &mx), -74);
	assert_int_equal(dns_mx_parse(STR("\0\1\300\0"), &a, &mx), -74);
	assert_int_equal(dns_srv_parse(STR("\0\1\0\2\0\31"), &a, &srv), -74);
	assert_int_equal(dns_tlsa_parse(STR("\3\1"), &tlsa), -74);
	assert_int_equal(dns_caa_parse(STR("\0"), &caa), -74);
	assert_int_equal(dns_caa_parse(STR("\0\0x"), &caa), -74);
	assert_int_equal(dns_caa_parse(STR("\0\5issu"), &caa), -74);
	assert_int_equal(dns_txt_parse(STR(""), &a, &text), -74);
	assert_int_equal(dns_txt_parse(STR("\3ab"), &a, &text), -74);
	assert_int_equal(dns_target_parse(STR("\1a"), &a, &text), -74);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mx_has_a_preference_and_a_host),
		cmocka_unit_test(an_srv_has_a_port_and_a_target),
		cmocka_unit_test(tlsa_and_caa_are_cut_into_their_fields),
		cmocka_unit_test(the_strings_of_a_txt_record_are_joined),
		cmocka_unit_test(what_is_cut_or_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
