#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "dns/name.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"

static void text_becomes_a_name_and_text_again(void **state)
{
	(void)state;
	static const struct {
		const char *text, *again; /* NULL: no name can look like this */
	} cases[] = {
		{ "example.org", "example.org" },
		{ "EXAMPLE.org.", "example.org" },
		{ "", "" },
		{ ".", "" },
		{ "..", NULL },
		{ ".org", NULL },
		{ "a..b", NULL },
		{ "_25._tcp.mx.example.org", "_25._tcp.mx.example.org" },
		{ "a\\.b.c", "a\\046b.c" },
		{ "a\\046b.c", "a\\046b.c" },
		{ "a\\000.c", "a\\000.c" },
		{ "a\\256.c", NULL },
		{ "a\\", NULL },
		{ "a\\04", NULL },
		{ "a b", NULL },
		{ "m\303\274ller.example", NULL },
		{ "[192.0.2.1]", "\\091192.0.2.1\\093" },
		{ L63 ".org", L63 ".org" },
		{ L63 "x.org", NULL },
		{ L63 "." L63 "." L63 "." L63, NULL },
	};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_name name;
		int r = dns_name_from_text(str_from(cases[i].text), &name);
		if ((r < 0) != !cases[i].again)
			fail_msg("%s: %d", cases[i].text, r);
		if (r == 0)
			assert_string_equal(dns_name_write(&name, &a).p, cases[i].again);
	}
}

static void the_longest_name_has_253_characters(void **state)
{
	(void)state;
	struct dns_name name;

	assert_int_equal(
		dns_name_from_text(STR(L63 "." L63 "." L63 "."
					   "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
					   "yz012345678"),
				   &name),
		0);
	assert_int_equal(name.n, DNS_NAME_MAX);
	assert_int_equal(
		dns_name_from_text(STR(L63 "." L63 "." L63 "."
					   "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
					   "yz0123456789"),
				   &name),
		-22);
}

static void pointers_lead_back_and_end(void **state)
{
	(void)state;
	static const struct {
		struct str packet;
		size_t at, behind;
		const char *text; /* NULL: refused */
	} cases[] = {
		{ STR_INIT("\1a\0\1b\300\0!"), 3, 7, "b.a" },
		{ STR_INIT("\1a\0\300\0\300\3"), 5, 7, "a" },
		{ STR_INIT("\300\0"), 0, 0, NULL },
		{ STR_INIT("\1a\300\0"), 0, 0, NULL },
		{ STR_INIT("\300\2\1a\0"), 0, 0, NULL },
		{ STR_INIT("\1a\0\300"), 3, 0, NULL },
		{ STR_INIT("\5abc"), 0, 0, NULL },
		{ STR_INIT("\1a"), 0, 0, NULL },
		{ STR_INIT("\100a\0"), 0, 0, NULL },
		{ STR_INIT(""), 0, 0, NULL },
	};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_name name;
		size_t at = cases[i].at;
		int r = dns_name_parse(cases[i].packet, &at, &name);
		if ((r < 0) != !cases[i].text)
			fail_msg("case %zu: %d", i, r);
		if (r < 0)
			continue;
		assert_string_equal(dns_name_write(&name, &a).p, cases[i].text);
		assert_int_equal(at, cases[i].behind);
	}
}

static void a_name_is_within_itself_and_what_is_above(void **state)
{
	(void)state;
	static const struct {
		const char *name, *parent;
		bool within;
	} cases[] = {
		{ "a.example.org", "example.org", true },   { "example.org", "example.org", true },
		{ "EXAMPLE.org", "example.ORG", true },	    { "example.org", "", true },
		{ "badexample.org", "example.org", false }, { "org", "example.org", false },
		{ "a.example.net", "example.org", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_name name, parent;
		assert_int_equal(dns_name_from_text(str_from(cases[i].name), &name), 0);
		assert_int_equal(dns_name_from_text(str_from(cases[i].parent), &parent), 0);
		if (dns_name_is_within(&name, &parent) != cases[i].within)
			fail_msg("%s in %s", cases[i].name, cases[i].parent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_a_name_and_text_again),
		cmocka_unit_test(the_longest_name_has_253_characters),
		cmocka_unit_test(pointers_lead_back_and_end),
		cmocka_unit_test(a_name_is_within_itself_and_what_is_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
