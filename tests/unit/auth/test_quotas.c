#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "auth/quotas.h"
#include "base/arena.h"

#include "report_recorder.h"

static void sizes_have_units_of_1024(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		int result;
		uint64_t bytes;
	} cases[] = {
		{ STR_INIT("0"), 0, 0 },
		{ STR_INIT("10B"), 0, 10 },
		{ STR_INIT("10k"), 0, 10240 },
		{ STR_INIT("10M"), 0, 10485760 },
		{ STR_INIT("5g"), 0, 5368709120 },
		{ STR_INIT("1T"), 0, 1099511627776 },
		{ STR_INIT("123"), 0, 123 },
		{ STR_INIT("M"), -EINVAL, 0 },
		{ STR_INIT(""), -EINVAL, 0 },
		{ STR_INIT("-60M"), -EINVAL, 0 },
		{ STR_INIT("26GIGOTS"), -EINVAL, 0 },
		{ STR_INIT("99999999T"), -ERANGE, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t bytes = 0;
		if (quota_size_parse(cases[i].text, &bytes) != cases[i].result)
			fail_msg("%s", cases[i].text.p);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void a_user_is_found_by_its_whole_name(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct quotas t = { 0 };
	uint64_t bytes = 1;

	quotas_parse(&t, &a, STR("xuser@a.b:5G\nUser@a.b:1k\nbroken\nuser@a.b:1:2\n"),
		     REPORT_TO(&seen));
	assert_true(quotas_find(&t, STR("user@a.b"), &bytes));
	assert_int_equal(bytes, 1024);
	assert_false(quotas_find(&t, STR("ser@a.b"), &bytes));
	assert_int_equal(seen.count, 2);
	quotas_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_units_of_1024),
		cmocka_unit_test(a_user_is_found_by_its_whole_name),
	};
	return cmocka_run_group_tests_name("auth/quotas", tests, NULL, NULL);
}
