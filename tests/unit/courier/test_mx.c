#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "courier/mx.h"
#include "dns/rdata.h"

static void the_best_comes_first_and_equals_in_any_order(void **state)
{
	(void)state;
	static const struct dns_mx records[] = {
		{ 20, STR_INIT("c.example") }, { 10, STR_INIT("A.example") },
		{ 10, STR_INIT("b.example") }, { 5, STR_INIT("") },
		{ 1, STR_INIT("bad name") },
	};
	static struct mx_host hosts[10];
	bool seen[2] = { false, false };

	for (int i = 0; i < 200; i++) {
		assert_int_equal(mx_sort(records, ARRAY_LEN(records), hosts, 10), 3);
		assert_string_equal(hosts[2].name, "c.example");
		seen[hosts[0].name[0] == 'a'] = true;
	}
	assert_true(seen[0] && seen[1]);
}

static void the_root_alone_is_the_null_mx(void **state)
{
	(void)state;
	static const struct dns_mx null_mx[] = { { 0, STR_INIT("") } };
	static const struct dns_mx useless[] = { { 0, STR_INIT("a b") } };
	static struct mx_host hosts[2];

	assert_int_equal(mx_sort(null_mx, 1, hosts, 2), -ENOENT);
	assert_int_equal(mx_sort(useless, 1, hosts, 2), -EBADMSG);
	assert_int_equal(mx_sort(null_mx, 0, hosts, 2), -EBADMSG);
}

static void we_and_our_equals_are_taken_out(void **state)
{
	(void)state;
	static const struct mx_host hosts[] = {
		{ .name = "a", .preference = 5 },
		{ .name = "b", .preference = 10 },
		{ .name = "self", .preference = 10 },
		{ .name = "c", .preference = 20 },
	};

	assert_int_equal(mx_without(hosts, 4, STR("SELF")), 1);
	assert_int_equal(mx_without(hosts, 4, STR("a")), 0);
	assert_int_equal(mx_without(hosts, 4, STR("other")), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_comes_first_and_equals_in_any_order),
		cmocka_unit_test(the_root_alone_is_the_null_mx),
		cmocka_unit_test(we_and_our_equals_are_taken_out),
	};
	return cmocka_run_group_tests_name("courier/mx", tests, NULL, NULL);
}
