#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "courier/nexthop.h"

static void next_hops_are_as_postfix_writes_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *meaning; /* host, port, and what it is */
	} cases[] = {
		{ "Example.ORG", "example.org 0 mx" },
		{ "example.org.", "example.org 0 mx" },
		{ "example.org:2525", "example.org 2525 mx" },
		{ "[host.example.org]", "host.example.org 0" },
		{ "[host]:submission", "host 587" },
		{ "[host]:smtps", "host 465" },
		{ "smtp:[host]:26", "host 26" },
		{ "smtp:host", "host 0 mx" },
		{ "lmtp:host:24", "host 24 lmtp" },
		{ "lmtp:inet:host:24", "host 24 lmtp" },
		{ "lmtp:unix:/run/lmtp", "/run/lmtp 0 lmtp local" },
		{ "[192.0.2.1]:25", "192.0.2.1 25 literal" },
		{ "192.0.2.1", "192.0.2.1 0 literal" },
		{ "[2001:DB8::1]", "2001:db8::1 0 literal" },
		{ "[IPv6:2001:db8::1]:26", "2001:db8::1 26 literal" },
		{ "b\xc3\xa4h.example", "xn--bh-via.example 0 mx" },
		{ "[B\xc3\x84h.example]:26", "xn--bh-via.example 26" },
		{ "", NULL },
		{ "[", NULL },
		{ "[]", NULL },
		{ "[]:25", NULL },
		{ "[a", NULL },
		{ "[a]b", NULL },
		{ "[a]:", NULL },
		{ "a:", NULL },
		{ "a:0", NULL },
		{ "a:65536", NULL },
		{ ":25", NULL },
		{ "a b", NULL },
		{ "a\nb", NULL },
		{ "a:b:c", NULL },
		{ "unix:", NULL },
		{ "unix:a", NULL },
		{ "[a]:-1", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nexthop n = { 0 };
		char text[400];
		int r = nexthop_parse(str_from(cases[i].text), &n, NULL);
		if (!cases[i].meaning) {
			if (r != -EINVAL)
				fail_msg("%s was understood", cases[i].text);
			continue;
		}
		snprintf(text, sizeof(text), "%s %u%s%s%s%s", n.host, n.port, n.mx ? " mx" : "",
			 n.lmtp ? " lmtp" : "", n.literal ? " literal" : "",
			 n.local ? " local" : "");
		if (r < 0 || strcmp(text, cases[i].meaning) != 0)
			fail_msg("%s: %d %s", cases[i].text, r, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops_are_as_postfix_writes_them),
	};
	return cmocka_run_group_tests_name("courier/nexthop", tests, NULL, NULL);
}
