#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "auth/regexp_aliases.h"
#include "base/arena.h"

#include "report_recorder.h"

static void patterns_match_as_postfix_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *table, *address, *result; /* NULL: no match */
	} cases[] = {
		{ "/^sales-[a-z]+@x\\.org$/ alice@x.org", "Sales-EU@x.org", "alice@x.org" },
		{ "/^sales@/i alice@x.org", "SALES@x.org", NULL },
		{ "/^sales@/i alice@x.org", "sales@x.org", "alice@x.org" },
		{ "/^(.*)-(.*)@(.*)$/ ${2}@$3, $(1)@$3", "a-b@c", "b@c, a@c" },
		{ "/^a@/ x$$y", "a@b", "x$y" },
		{ "/^a(x)?@/ <$1>$9", "a@b", "<>" },
		{ "!/@x\\.org$/ other@x.org", "a@y.org", "other@x.org" },
		{ "!/@x\\.org$/ other@x.org", "a@x.org", NULL },
		{ "!/x/ $1", "a@b", NULL },
		{ "m^a\\^?@^ x", "a@b", NULL },
		{ "|^a\\|?@| x", "a@b", "x" },
		{ "/a b/x y", "ab", "y" },
		{ "/a/\n  continued", "a", "continued" },
		{ "if /@x/\n/a/ one\nendif\n/a/ two", "a@x", "one" },
		{ "if /@x/\n/a/ one\nendif\n/a/ two", "a@y", "two" },
		{ "if !/@x/\n/a/ one\nendif\n/a/ two", "a@y", "one" },
		{ "if /q/\nif /a/\n/a/ one\nendif\n/a/ two\nendif\n/a/ three", "a@y", "three" },
		{ "if /[/\n/a/ one\nendif\n/a/ two", "a@y", "two" },
		{ "if /q/\n/a/ one", "a@y", NULL },
		{ "/[/ broken\n/a/ two", "a", "two" },
		{ "/a/q unknown\n/a/ two", "a", "two" },
		{ "/a/ one\n/a/ two", "a", "one" },
		{ "/a\n", "a", NULL },
		{ "", "a", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct regexp_aliases t = { 0 };
		struct str result = STR("");
		regexp_aliases_parse(&t, &a, str_from(cases[i].table), NULL);
		int r = regexp_aliases_find(&t, str_from(cases[i].address), &a, &result, NULL);
		if (r != (cases[i].result ? 1 : 0) ||
		    !str_eq(result, str_from(cases[i].result ? cases[i].result : "")))
			fail_msg("%s with %s: %d %.*s", cases[i].table, cases[i].address, r,
				 STR_ARG(result));
		regexp_aliases_done(&t);
	}
}

static void broken_rules_are_reported_with_their_line(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct regexp_aliases t = { 0 };

	regexp_aliases_parse(&t, &a, STR("# x\n/(/ y\nendif\n/a/\nif /x/\n"), REPORT_TO(&seen));
	assert_int_equal(seen.count, 4);
	assert_non_null(strstr(seen.text, "file:2: pattern, character 2: "));
	assert_non_null(strstr(seen.text, "file:5: \"if\" without \"endif\""));
	regexp_aliases_done(&t);
}

static void a_pattern_that_never_ends_is_an_error_not_a_hang(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct regexp_aliases t = { 0 };
	struct str result;

	regexp_aliases_parse(&t, &a, STR("/^(a+)+$/ x\n"), NULL);
	assert_int_equal(regexp_aliases_find(&t,
					     STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
					     &a, &result, NULL),
			 -ELOOP);
	regexp_aliases_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_postfix_reads_them),
		cmocka_unit_test(broken_rules_are_reported_with_their_line),
		cmocka_unit_test(a_pattern_that_never_ends_is_an_error_not_a_hang),
	};
	return cmocka_run_group_tests_name("auth/regexp_aliases", tests, NULL, NULL);
}
