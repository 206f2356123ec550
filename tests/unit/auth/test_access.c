#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/access.h"
#include "base/arena.h"

#include "report_recorder.h"

static void the_most_specific_rule_for_an_address_decides(void **state)
{
	(void)state;
	static const char table[] = "a@x.org \t\t REJECT\n"
				    "x.org DUNNO\n"
				    "org 450 4.7.1 not now\n"
				    "root@ REJECT no system mail\n"
				    "<> OK\n";
	static const struct {
		struct str address;
		int code; /* -1: no rule */
		const char *text;
	} cases[] = {
		{ STR_INIT("A@X.org"), 554, "" },
		{ STR_INIT("a+t@x.org"), 554, "" },
		{ STR_INIT("b@x.org"), 0, "" },
		{ STR_INIT("b@mail.x.org"), 0, "" },
		{ STR_INIT("b@y.org"), 450, "4.7.1 not now" },
		{ STR_INIT("root@y.net"), 554, "no system mail" },
		{ STR_INIT("root+x@y.net"), 554, "no system mail" },
		{ STR_INIT("b@y.net"), -1, "" },
		{ STR_INIT(""), 0, "" },
	};
	auto_arena struct arena a = ARENA_INIT;
	struct access_table t = { 0 };

	access_parse(&t, &a, str_from(table), NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct access_rule *r = access_find(&t, cases[i].address, '+');
		if ((r ? r->code : -1) != cases[i].code)
			fail_msg("%s", cases[i].address.p);
		if (r)
			assert_true(str_eq(r->text, str_from(cases[i].text)));
	}
	access_done(&t);
}

static void actions_that_need_another_program_are_reported(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct access_table t = { 0 };

	access_parse(&t, &a, STR("a@b HOLD\na@b REDIRECT x@y\na@b\nc@d reject\nC@D ok\n"),
		     REPORT_TO(&seen));
	assert_int_equal(seen.count, 4);
	assert_null(access_find(&t, STR("a@b"), '+'));
	assert_int_equal(access_find(&t, STR("c@d"), '+')->action, ACCESS_REJECT);
	access_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_specific_rule_for_an_address_decides),
		cmocka_unit_test(actions_that_need_another_program_are_reported),
	};
	return cmocka_run_group_tests_name("auth/access", tests, NULL, NULL);
}
