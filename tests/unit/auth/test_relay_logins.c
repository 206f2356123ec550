#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/relay_logins.h"
#include "base/arena.h"

#include "report_recorder.h"

static struct str user(const struct relay_login *l)
{
	return l ? l->user : STR("none");
}

static void a_sender_has_its_own_login_or_that_of_its_domain(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct relay_logins t = { 0 };

	relay_logins_parse(&t, &a,
			   STR("@Example.org  dom:pass word:x \nalice@example.org\talice:p\r\n"
			       "# no\n[relay.example]:587 hop:q\n[b]:25 nopassword\n@c.org u:\n"),
			   REPORT_TO(&seen));
	const struct relay_login *l = relay_logins_of_sender(&t, STR("bob@example.org"));
	assert_true(str_eq(user(l), STR("dom")));
	assert_true(str_eq(l->password, STR("pass word:x")));
	assert_true(
		str_eq(user(relay_logins_of_sender(&t, STR("alice@example.org"))), STR("alice")));
	assert_true(str_eq(user(relay_logins_of_sender(&t, STR("a@b.org"))), STR("none")));
	assert_true(str_eq(user(relay_logins_of_sender(&t, STR(""))), STR("none")));
	assert_true(
		str_eq(user(relay_logins_of_nexthop(&t, STR("[Relay.example]:587"))), STR("hop")));
	assert_true(str_eq(user(relay_logins_of_nexthop(&t, STR("[relay.example]"))), STR("none")));
	assert_int_equal(seen.count, 2);
	relay_logins_done(&t);
}

static void a_line_that_broke_keeps_what_it_said_before(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct relay_logins before = { 0 }, after = { 0 };

	relay_logins_parse(&before, &a, STR("@a.org u:p\n"), REPORT_TO(&seen));
	relay_logins_parse(&after, &a, STR("@a.org u\n"), REPORT_TO(&seen));
	assert_true(relay_logins_keep(&after, &a, &before, STR("@a.org")));
	assert_false(relay_logins_keep(&after, &a, &before, STR("@b.org")));
	assert_true(str_eq(user(relay_logins_of_sender(&after, STR("x@a.org"))), STR("u")));
	relay_logins_done(&before);
	relay_logins_done(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sender_has_its_own_login_or_that_of_its_domain),
		cmocka_unit_test(a_line_that_broke_keeps_what_it_said_before),
	};
	return cmocka_run_group_tests_name("auth/relay_logins", tests, NULL, NULL);
}
