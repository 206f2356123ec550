#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "base/arena.h"

#include "report_recorder.h"

static void lines_become_accounts_in_their_order(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct accounts t = { 0 };
	struct str value;

	accounts_parse(&t, &a,
		       STR("# people\nBob@Example.org|{PLAIN}a|userdb_quota_rule=*:bytes=2G x=y\n"
			   "alice@example.org|$6$abcdefgh$x\r\n"),
		       REPORT_TO(&seen));
	assert_int_equal(seen.count, 0);
	assert_int_equal(t.by_login.count, 2);
	assert_true(str_eq(t.first->login, STR("bob@example.org")));
	assert_true(str_eq(t.first->next->login, STR("alice@example.org")));

	struct account *bob = accounts_find(&t, STR("bob@example.org"));
	assert_true(str_eq(bob->hash, STR("{PLAIN}a")));
	assert_true(str_eq(bob->local, STR("bob")));
	assert_true(str_eq(bob->domain, STR("example.org")));
	assert_true(account_extra_get(bob, STR("userdb_quota_rule"), &value));
	assert_true(str_eq(value, STR("*:bytes=2G")));
	assert_false(account_extra_get(bob, STR("userdb_quota"), &value));
	accounts_done(&t);
}

static void lines_that_are_no_account_are_reported_and_skipped(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		unsigned accounts, reports;
	} cases[] = {
		{ STR_INIT(""), 0, 0 },
		{ STR_INIT("a@b.c"), 0, 1 },
		{ STR_INIT("a|{PLAIN}x"), 0, 1 },
		{ STR_INIT("@b.c|{PLAIN}x"), 0, 1 },
		{ STR_INIT("../x@b.c|{PLAIN}x"), 0, 1 },
		{ STR_INIT("a@..|{PLAIN}x"), 0, 1 },
		{ STR_INIT("a b@c|{PLAIN}x"), 0, 1 },
		{ STR_INIT("a@b@c|{PLAIN}x"), 0, 1 },
		{ STR_INIT("a@b.c|"), 1, 1 },
		{ STR_INIT("a@b.c|{NOSUCH}x"), 1, 1 },
		{ STR_INIT("a@b.c|{PLAIN}x\nA@B.C|{PLAIN}y"), 1, 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct report_recorder seen = { 0 };
		struct accounts t = { 0 };
		accounts_parse(&t, &a, cases[i].text, REPORT_TO(&seen));
		if (t.by_login.count != cases[i].accounts || seen.count != cases[i].reports)
			fail_msg("%s: %zu accounts, %s", cases[i].text.p, t.by_login.count,
				 seen.text);
		accounts_done(&t);
	}
}

static void the_first_of_two_lines_for_an_account_wins(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct accounts t = { 0 };

	accounts_parse(&t, &a, STR("a@b.c|{PLAIN}x\nA@B.C|{PLAIN}y"), NULL);
	assert_true(str_eq(accounts_find(&t, STR("a@b.c"))->hash, STR("{PLAIN}x")));
	accounts_done(&t);
}

static void masters_are_names_without_domain(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct accounts t = { 0 };

	accounts_parse_masters(&t, &a, STR("Admin|{PLAIN}x\na*b|{PLAIN}x\n"), REPORT_TO(&seen));
	assert_non_null(accounts_find(&t, STR("admin")));
	assert_int_equal(t.by_login.count, 1);
	assert_int_equal(seen.count, 1);
	accounts_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_accounts_in_their_order),
		cmocka_unit_test(lines_that_are_no_account_are_reported_and_skipped),
		cmocka_unit_test(the_first_of_two_lines_for_an_account_wins),
		cmocka_unit_test(masters_are_names_without_domain),
	};
	return cmocka_run_group_tests_name("auth/accounts", tests, NULL, NULL);
}
