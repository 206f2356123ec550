#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "dns/idna.h"

static void names_become_a_labels(void **state)
{
	static const struct {
		const char *name, *ascii; /* NULL: no name looks like this */
	} cases[] = {
		{ "", "" },
		{ "Example.ORG", "Example.ORG" },
		{ "_dmarc.example.org", "_dmarc.example.org" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		/* Case, composition and the full stop of another script. */
		{ "B\xc3\x9c"
		  "CHER.Example",
		  "xn--bcher-kva.example" },
		{ "bu\xcc\x88"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "b\xc3\xbc"
		  "cher\xe3\x80\x82"
		  "example",
		  "xn--bcher-kva.example" },
		/* RFC 5894 7.2: sharp s is a letter of its own. */
		{ "fa\xc3\x9f.example", "xn--fa-hia.example" },
		{ "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
		  "xn--r8jz45g.xn--zckzah" },
		{ "_25._tcp.m\xc3\xbc.example", "_25._tcp.xn--m-eha.example" },
		{ "\xff.example", NULL },
		{ "a\xe2\x82\xac\x01.example", NULL },
		{ "\xe2\x80\x8d"
		  "a.example",
		  NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str out;
		int r = idna_to_ascii(str_from(cases[i].name), &a, &out);
		if (!cases[i].ascii) {
			assert_int_equal(r, -EILSEQ);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(out.n, strlen(cases[i].ascii));
		assert_memory_equal(out.p, cases[i].ascii, out.n);
	}
}

static void a_name_that_is_too_long_is_none(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	char name[2000];
	struct str out;
	(void)state;

	memset(name, 'a', sizeof(name));
	name[0] = '\xc3';
	name[1] = '\xbc';
	for (size_t n = 100; n < sizeof(name); n += 100)
		assert_int_equal(idna_to_ascii(str_of(name, n), &a, &out), -EILSEQ);
}

static void an_address_needs_an_ascii_local_part(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str out;
	(void)state;

	assert_int_equal(idna_address_to_ascii(STR("bob@b\xc3\xbc.example"), &a, &out), 0);
	assert_true(str_eq(out, STR("bob@xn--b-eha.example")));
	assert_int_equal(idna_address_to_ascii(STR("\"a@\"@b.example"), &a, &out), 0);
	assert_true(str_eq(out, STR("\"a@\"@b.example")));
	assert_int_equal(idna_address_to_ascii(STR(""), &a, &out), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(idna_address_to_ascii(STR("b\xc3\xbc@b.example"), &a, &out), -EILSEQ);
}

static void an_address_has_another_form_or_not(void **state)
{
	static const struct {
		const char *address, *other;
	} cases[] = {
		{ "bob@b\xc3\xbc.example", "bob@xn--b-eha.example" },
		{ "bob@XN--B-EHA.example", "bob@b\xc3\xbc.example" },
		{ "j\xc3\xb6rg@b\xc3\xbc.example", "j\xc3\xb6rg@xn--b-eha.example" },
		{ "bob@b.example", NULL },
		{ "xn--b-eha.example@b.example", NULL },
		{ "bob@\xff.example", NULL },
		{ "bob@xn--\x7f.example", NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str other;
		int r = idna_address_other(str_from(cases[i].address), &a, &other);
		assert_int_equal(r, cases[i].other ? 0 : -ENOENT);
		if (cases[i].other)
			assert_true(str_eq(other, str_from(cases[i].other)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_a_labels),
		cmocka_unit_test(a_name_that_is_too_long_is_none),
		cmocka_unit_test(an_address_needs_an_ascii_local_part),
		cmocka_unit_test(an_address_has_another_form_or_not),
	};
	return cmocka_run_group_tests_name("dns/idna", tests, NULL, NULL);
}
