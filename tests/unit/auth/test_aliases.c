#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/aliases.h"
#include "base/arena.h"

#include "report_recorder.h"

static void targets_are_separated_by_commas_and_blanks(void **state)
{
	(void)state;
	static const struct {
		struct str list;
		size_t count;
		struct str last;
	} cases[] = {
		{ STR_INIT("a@b"), 1, STR_INIT("a@b") },
		{ STR_INIT("a@b,c@d , e@f\tg@h"), 4, STR_INIT("g@h") },
		{ STR_INIT(",, a@b,,"), 1, STR_INIT("a@b") },
		{ STR_INIT("x@y \"a b, c\"@d"), 2, STR_INIT("\"a b, c\"@d") },
		{ STR_INIT("\"a\\\" b\"@d"), 1, STR_INIT("\"a\\\" b\"@d") },
		{ STR_INIT(" "), 0, STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest = cases[i].list, target, last = STR("");
		size_t n = 0;
		for (; alias_target_next(&rest, &target); n++)
			last = target;
		assert_int_equal(n, cases[i].count);
		assert_true(str_eq(last, cases[i].last));
	}
}

static void virtual_aliases_span_lines_and_the_first_of_a_key_wins(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct aliases t = { 0 };

	aliases_parse_virtual(
		&t, &a, STR("Team@a.b  x@a.b,\n  y@a.b\n@c.d z@a.b\nteam@a.b q@a.b\nlonely\n"),
		REPORT_TO(&seen));
	const struct alias *team = aliases_find(&t, STR("team@a.b"));
	assert_int_equal(team->count, 2);
	assert_true(str_eq(team->targets[1], STR("y@a.b")));
	assert_non_null(aliases_find(&t, STR("@c.d")));
	assert_true(str_eq(t.first->next->key, STR("@c.d")));
	assert_string_equal(seen.text, "file:4: team@a.b is there already; this line is not used\n"
				       "file:5: an alias without target");
	aliases_done(&t);
}

static void a_comment_behind_an_entry_is_no_target(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct aliases t = { 0 };

	aliases_parse_virtual(&t, &a, STR("a@b c@d # see below\n"), REPORT_TO(&seen));
	assert_int_equal(aliases_find(&t, STR("a@b"))->count, 1);
	assert_int_equal(seen.count, 1);
	aliases_done(&t);
}

static void local_aliases_lead_to_addresses_and_nowhere_else(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct aliases t = { 0 };

	aliases_parse_local(&t, &a,
			    STR("Devnull: /dev/null\nboth: a@b, \"|/bin/sh -c x\"\n"
				"file: /etc/passwd\ninc: :include:/x\nplain: root\n"),
			    REPORT_TO(&seen));
	assert_true(str_eq(aliases_find(&t, STR("devnull"))->targets[0], STR("/dev/null")));
	assert_int_equal(aliases_find(&t, STR("both"))->count, 1);
	assert_null(aliases_find(&t, STR("file")));
	assert_null(aliases_find(&t, STR("inc")));
	assert_non_null(aliases_find(&t, STR("plain")));
	assert_int_equal(seen.count, 3);
	aliases_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_separated_by_commas_and_blanks),
		cmocka_unit_test(virtual_aliases_span_lines_and_the_first_of_a_key_wins),
		cmocka_unit_test(a_comment_behind_an_entry_is_no_target),
		cmocka_unit_test(local_aliases_lead_to_addresses_and_nowhere_else),
	};
	return cmocka_run_group_tests_name("auth/aliases", tests, NULL, NULL);
}
