#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "core/endpoint.h"

static void a_server_is_an_address_and_perhaps_a_port(void **state)
{
	(void)state;
	static const struct {
		const char *text, *address; /* NULL: refused */
		uint16_t port;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 53 },
		{ "192.0.2.1:5353", "192.0.2.1", 5353 },
		{ "2001:db8::1", "2001:db8::1", 53 },
		{ "[2001:db8::1]", "2001:db8::1", 53 },
		{ "[2001:db8::1]:5353", "2001:db8::1", 5353 },
		{ "::1", "::1", 53 },
		{ "192.0.2.1:", NULL, 0 },
		{ "192.0.2.1:0", NULL, 0 },
		{ "192.0.2.1:65536", NULL, 0 },
		{ "192.0.2.1:5353x", NULL, 0 },
		{ "[192.0.2.1]", NULL, 0 },
		{ "[2001:db8::1", NULL, 0 },
		{ "[2001:db8::1]5353", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "dns.example", NULL, 0 },
		{ "192.0.2.256", NULL, 0 },
		{ ":53", NULL, 0 },
		{ "", NULL, 0 },
		{ "2001:0db8:0000:0000:0000:0000:0000:00000000000000000000000000001", NULL, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint e;
		int r = endpoint_parse(str_from(cases[i].text), 53, &e);
		if (r != (cases[i].address ? 0 : -EINVAL))
			fail_msg("%s: %d", cases[i].text, r);
		if (r < 0)
			continue;
		assert_string_equal(e.address, cases[i].address);
		assert_int_equal(e.port, cases[i].port);
		assert_int_equal(e.v6, strchr(e.address, ':') != NULL);
	}
}

static void a_list_has_commas_or_spaces(void **state)
{
	(void)state;
	struct str list = STR(" 192.0.2.1,,192.0.2.2:54  nonsense,::1 "), word;
	struct endpoint e;

	assert_int_equal(endpoint_next(&list, 53, &e, &word), 1);
	assert_string_equal(e.address, "192.0.2.1");
	assert_int_equal(endpoint_next(&list, 53, &e, &word), 1);
	assert_int_equal(e.port, 54);
	assert_int_equal(endpoint_next(&list, 53, &e, &word), -EINVAL);
	assert_true(str_eq(word, STR("nonsense")));
	assert_int_equal(endpoint_next(&list, 53, &e, &word), 1);
	assert_true(e.v6);
	assert_int_equal(endpoint_next(&list, 53, &e, &word), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_an_address_and_perhaps_a_port),
		cmocka_unit_test(a_list_has_commas_or_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
