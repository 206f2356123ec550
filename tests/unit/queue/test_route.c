#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "queue/envelope.h"
#include "queue/route.h"

static void next_hops_have_one_form(void **state)
{
	(void)state;
	static const struct {
		struct str text, nexthop; /* empty: it is refused */
	} cases[] = {
		{ STR_INIT("Example.ORG"), STR_INIT("example.org") },
		{ STR_INIT("relay.example.org:587"), STR_INIT("relay.example.org:587") },
		{ STR_INIT("[Relay.example.org]:587"), STR_INIT("[relay.example.org]:587") },
		{ STR_INIT("[192.0.2.1]"), STR_INIT("[192.0.2.1]") },
		{ STR_INIT("[2001:db8::1]:25"), STR_INIT("[2001:db8::1]:25") },
		{ STR_INIT("smtp:[host]:26"), STR_INIT("[host]:26") },
		{ STR_INIT("relay:host"), STR_INIT("host") },
		{ STR_INIT("lmtp:kopano:2003"), STR_INIT("lmtp:kopano:2003") },
		{ STR_INIT("LMTP:inet:host:24"), STR_INIT("lmtp:host:24") },
		{ STR_INIT("lmtp:[::1]:24"), STR_INIT("lmtp:[::1]:24") },
		{ STR_INIT("lmtp:unix:/run/Kopano/lmtp.sock"),
		  STR_INIT("lmtp:unix:/run/Kopano/lmtp.sock") },
		{ STR_INIT("lmtp:unix:private/x"),
		  STR_INIT("lmtp:unix:/var/spool/postfix/private/x") },
		{ STR_INIT("lmtp:unix:"), STR_INIT("") },
		{ STR_INIT("lmtp:unix:/a\nb"), STR_INIT("") },
		{ STR_INIT("smtp:unix:/run/x"), STR_INIT("") },
		{ STR_INIT(""), STR_INIT("") },
		{ STR_INIT("[host"), STR_INIT("") },
		{ STR_INIT("[host]x"), STR_INIT("") },
		{ STR_INIT("[]"), STR_INIT("") },
		{ STR_INIT("host:"), STR_INIT("") },
		{ STR_INIT("host:0"), STR_INIT("") },
		{ STR_INIT("host:65536"), STR_INIT("") },
		{ STR_INIT("host name"), STR_INIT("") },
		{ STR_INIT("2001:db8::1"), STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str nexthop = STR_NONE;
		struct err err;
		int r = route_parse(cases[i].text, &a, &nexthop, &err);
		if (r != (cases[i].nexthop.n ? 0 : -EINVAL) || !str_eq(nexthop, cases[i].nexthop))
			fail_msg("%s: %d %.*s", cases[i].text.p, r, STR_ARG(nexthop));
	}
}

static void the_path_of_a_socket_fits_into_its_address(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	char text[128] = "lmtp:unix:/";
	struct str nexthop;
	struct err err;

	memset(text + 11, 'x', 107);
	assert_int_equal(route_parse(str_of(text, 10 + 107), &a, &nexthop, &err), 0);
	assert_int_equal(nexthop.n, 10 + 107);
	assert_int_equal(route_parse(str_of(text, 10 + 108), &a, &nexthop, &err), -EINVAL);
}

static void the_sender_comes_before_the_default_and_that_before_the_domain(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	const struct envelope_recipient remote = { .kind = ENVELOPE_REMOTE,
						   .address = STR("\"a@b\"@Example.NET") };
	const struct envelope_recipient literal = { .kind = ENVELOPE_REMOTE,
						    .address = STR("a@[IPv6:::1]") };
	const struct envelope_recipient local = { .kind = ENVELOPE_MAILBOX,
						  .address = STR("a@example.org") };
	struct route_config c = { .agent = STR("lmtp:kopano:2003") };

	assert_true(str_eq(route_find(&c, STR_NONE, &remote, &a), STR("example.net")));
	assert_true(str_eq(route_find(&c, STR_NONE, &literal, &a), STR("[ipv6:::1]")));
	c.relay = STR("[relay]");
	assert_true(str_eq(route_find(&c, STR_NONE, &remote, &a), STR("[relay]")));
	assert_true(str_eq(route_find(&c, STR("[other]:587"), &remote, &a), STR("[other]:587")));
	assert_true(str_eq(route_find(&c, STR("[other]:587"), &local, &a), c.agent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops_have_one_form),
		cmocka_unit_test(the_path_of_a_socket_fits_into_its_address),
		cmocka_unit_test(the_sender_comes_before_the_default_and_that_before_the_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
