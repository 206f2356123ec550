#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "setup/dkim_tables.h"

static void lines_of_a_domain_get_another_key(void **state)
{
	(void)state;
	static const struct {
		struct str before;
		size_t changed;
		const char *after;
	} cases[] = {
		{ STR_INIT(""), 0, "" },
		{ STR_INIT("*@a.example old"), 1, "*@a.example new" },
		{ STR_INIT("*@A.Example\tOLD \r\nx@a.example old\n"), 2,
		  "*@A.Example\tnew \r\nx@a.example new\n" },
		{ STR_INIT("a.example old\n.a.example old\n"), 2,
		  "a.example new\n.a.example new\n" },
		{ STR_INIT("# *@a.example old\n\n*@b.example old\n*@xa.example old\n* old\n"), 0,
		  "# *@a.example old\n\n*@b.example old\n*@xa.example old\n* old\n" },
		{ STR_INIT("*@a.example older\n*@a.example\n"), 0,
		  "*@a.example older\n*@a.example\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 4096);
		assert_int_equal(dkim_table_replace(cases[i].before, STR("a.example"), STR("old"),
						    STR("new"), &b),
				 cases[i].changed);
		assert_string_equal(buf_cstr(&b), cases[i].after);
	}
}

static void keys_in_the_file_of_rspamd_get_others(void **state)
{
	(void)state;
	static const struct dkim_conf_key from = { STR_INIT("/k/a"), STR_INIT("s") };
	static const struct dkim_conf_key to = { STR_INIT("/k/longer"), STR_INIT("s2") };
	static const struct {
		struct str before;
		size_t changed;
		const char *after;
	} cases[] = {
		{ STR_INIT("domain { a { path = \"/k/a\"; selector = \"s\"; } }"), 1,
		  "domain { a { path = \"/k/longer\"; selector = \"s2\"; } }" },
		{ STR_INIT("domain { A { selector s; path '/k/a' } b { path /k/a; selector s } }"),
		  1, "domain { A { selector s2; path '/k/longer' } b { path /k/a; selector s } }" },
		{ STR_INIT("path = /k/a; domain { a { path = /k/b; selector = s; } # /k/a s\n }"),
		  0, "path = /k/a; domain { a { path = /k/b; selector = s; } # /k/a s\n }" },
		{ STR_INIT("domain { a { path = /k/a; selector = s; }"), 0, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 4096);
		assert_int_equal(dkim_conf_replace(cases[i].before, STR("a"), &from, &to, &b),
				 cases[i].changed);
		assert_string_equal(buf_cstr(&b), cases[i].after);
	}
}

static void the_state_of_a_change_is_kept(void **state)
{
	(void)state;
	struct dkim_rotation r = { STR("a.example"), STR("rsa"), false,
				   STR("new"),	     STR("old"), STR("2026-11-26"),
				   STR("opendkim/x") };
	static const char before[] = "# mine\nb.example rsa signing x y 2026-01-01 p\n"
				     "A.Example rsa signing 1 2 2020-01-01 p\n"
				     "a.example ed25519 waiting 1 2 2020-01-01 p\nnonsense";
	struct dkim_rotation found;
	auto_buf struct buf b;

	buf_init(&b, NULL, 4096);
	dkim_rotation_put(str_from(before), &r, &b);
	assert_string_equal(buf_cstr(&b), "# mine\nb.example rsa signing x y 2026-01-01 p\n"
					  "a.example ed25519 waiting 1 2 2020-01-01 p\nnonsense\n"
					  "a.example rsa waiting new old 2026-11-26 opendkim/x\n");
	assert_true(dkim_rotation_find(buf_str(&b), STR("A.example"), STR("rsa"), &found));
	assert_false(found.signing);
	assert_true(str_eq(found.selector, STR("new")) && str_eq(found.path, STR("opendkim/x")));
	assert_false(dkim_rotation_find(buf_str(&b), STR("c.example"), STR("rsa"), &found));
	assert_true(dkim_rotation_find(str_from(before), STR("b.example"), STR("rsa"), &found));
	assert_true(found.signing && str_eq(found.old, STR("y")));
}

static void days_are_counted(void **state)
{
	(void)state;
	static const struct {
		struct str from, to;
		size_t days;
	} cases[] = {
		{ STR_INIT("2026-11-26"), STR_INIT("2026-11-26"), 0 },
		{ STR_INIT("2026-12-25"), STR_INIT("2027-01-01"), 7 },
		{ STR_INIT("2028-02-28"), STR_INIT("2028-03-01"), 2 },
		{ STR_INIT("2026-11-26"), STR_INIT("2026-11-25"), SIZE_MAX },
		{ STR_INIT("yesterday"), STR_INIT("2026-11-25"), SIZE_MAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(dkim_rotation_days(cases[i].from, cases[i].to) == cases[i].days);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_a_domain_get_another_key),
		cmocka_unit_test(keys_in_the_file_of_rspamd_get_others),
		cmocka_unit_test(the_state_of_a_change_is_kept),
		cmocka_unit_test(days_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
