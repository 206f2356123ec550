#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "courier/sts_policy.h"

static void one_record_has_one_id(void **state)
{
	(void)state;
	static const struct {
		struct str records[2];
		const char *id;
	} cases[] = {
		{ { STR_INIT("v=STSv1; id=20160831085700Z;"), STR_INIT("other") },
		  "20160831085700Z" },
		{ { STR_INIT("v=STSv1;id=a"), STR_INIT("v=spf1") }, "a" },
		{ { STR_INIT("v=STSv1 ; id = a ; x=y;"), STR_INIT("") }, "a" },
		{ { STR_INIT("v=STSv1; id=a;"), STR_INIT("v=STSv1; id=b;") }, NULL },
		{ { STR_INIT("v=STSv1; id=a; id=b;"), STR_INIT("") }, NULL },
		{ { STR_INIT("v=STSv1; id=a-b;"), STR_INIT("") }, NULL },
		{ { STR_INIT("v=STSv1; id=;"), STR_INIT("") }, NULL },
		{ { STR_INIT("v=STSv1;"), STR_INIT("") }, NULL },
		{ { STR_INIT("v=STSv10; id=a;"), STR_INIT("") }, NULL },
		{ { STR_INIT("v=STSv1; id=123456789012345678901234567890123;"), STR_INIT("") },
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str id = STR_NONE;
		bool found = sts_id_find(cases[i].records, 2, &id);
		if (found != (cases[i].id != NULL) || (found && !str_eq(id, str_from(cases[i].id))))
			fail_msg("%s", cases[i].records[0].p);
	}
}

static void a_policy_is_complete_or_none(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "version: STSv1\r\nmode: enforce\r\nmx: a\r\nmax_age: 1\r\n", 0 },
		{ "max_age:1\nmx:a\nmode:testing\nversion:STSv1", 0 },
		{ "version: STSv1\nmode: none\nmax_age: 1\n", 0 },
		{ "version: STSv1\nmode: enforce\nx: y\nmx: a\n\nmax_age: 99999999999\n", 0 },
		{ "version: STSv1\nmode: enforce\nmax_age: 1\n", -EINVAL },
		{ "version: STSv1\nmode: strict\nmx: a\nmax_age: 1\n", -EINVAL },
		{ "version: STSv2\nmode: enforce\nmx: a\nmax_age: 1\n", -EINVAL },
		{ "mode: enforce\nmx: a\nmax_age: 1\n", -EINVAL },
		{ "version: STSv1\nmx: a\nmax_age: 1\n", -EINVAL },
		{ "version: STSv1\nmode: enforce\nmx: a\n", -EINVAL },
		{ "version: STSv1\nmode: enforce\nmx: a\nmax_age: -1\n", -EINVAL },
		{ "version: STSv1\nmode: enforce\nmx: a\nmax_age: 1\n<html>\n", -EINVAL },
		{ "", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sts_policy p;
		if (sts_policy_parse(str_from(cases[i].text), &a, &p, NULL) != cases[i].result)
			fail_msg("%s", cases[i].text);
		if (cases[i].result == 0)
			assert_in_range(p.max_age, 1, STS_MAX_AGE);
	}
}

static void a_star_is_one_label(void **state)
{
	(void)state;
	struct str mx[] = { STR("mail.example.com"), STR("*.example.net") };
	struct sts_policy p = { .mx = mx, .mx_count = 2 };

	assert_true(sts_policy_names(&p, STR("MAIL.example.com")));
	assert_true(sts_policy_names(&p, STR("a.Example.net")));
	assert_false(sts_policy_names(&p, STR("example.net")));
	assert_false(sts_policy_names(&p, STR(".example.net")));
	assert_false(sts_policy_names(&p, STR("a.b.example.net")));
	assert_false(sts_policy_names(&p, STR("mail.example.com.evil.org")));
	assert_false(sts_policy_names(&p, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_record_has_one_id),
		cmocka_unit_test(a_policy_is_complete_or_none),
		cmocka_unit_test(a_star_is_one_label),
	};
	return cmocka_run_group_tests_name("courier/sts_policy", tests, NULL, NULL);
}
