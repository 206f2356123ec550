#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/relays.h"
#include "base/arena.h"

#include "report_recorder.h"

static struct str nexthop(const struct relays *t, struct str sender)
{
	const struct relay *r = relays_find(t, sender, '+');
	return r ? r->nexthop : STR("none");
}

static void the_sender_is_looked_up_before_its_domain(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct relays t = { 0 };

	relays_parse(&t, &a,
		     STR("# relays\n@Example.org  [smtp.relay.example]:587\r\n"
			 "alice@example.org\trelay2:2525\n@example.com   \n"
			 "@a.org b c\nno-domain relay\n@example.com other\n"),
		     REPORT_TO(&seen));
	assert_true(str_eq(nexthop(&t, STR("bob@example.org")), STR("[smtp.relay.example]:587")));
	assert_true(str_eq(nexthop(&t, STR("alice@example.org")), STR("relay2:2525")));
	assert_true(str_eq(nexthop(&t, STR("alice+x@example.org")), STR("relay2:2525")));
	assert_true(str_eq(nexthop(&t, STR("bob@example.com")), STR("")));
	assert_true(str_eq(nexthop(&t, STR("bob@example.net")), STR("none")));
	assert_true(str_eq(nexthop(&t, STR("bob@a.org")), STR("none")));
	assert_int_equal(seen.count, 3);
	relays_done(&t);
}

static void a_line_that_is_broken_now_stays_as_it_was(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct relays before = { 0 }, t = { 0 };

	relays_parse(&before, &a, STR("@a.org one\n@b.org two\n"), NULL);
	relays_parse(&t, &a, STR("@b.org three\n"), NULL);
	assert_true(relays_keep(&t, &a, &before, STR("@a.org")));
	assert_false(relays_keep(&t, &a, &before, STR("@b.org")));
	assert_false(relays_keep(&t, &a, &before, STR("@c.org")));
	assert_true(str_eq(nexthop(&t, STR("x@a.org")), STR("one")));
	assert_true(str_eq(nexthop(&t, STR("x@b.org")), STR("three")));
	relays_done(&before);
	relays_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sender_is_looked_up_before_its_domain),
		cmocka_unit_test(a_line_that_is_broken_now_stays_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
