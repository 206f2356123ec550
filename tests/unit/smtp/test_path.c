#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "smtp/path.h"

static void paths_have_one_canonical_spelling(void **state)
{
	(void)state;
	static const struct {
		struct str text, address, rest;
	} cases[] = {
		{ STR_INIT("<a@example.org>"), STR_INIT("a@example.org"), STR_INIT("") },
		{ STR_INIT("<a@example.org> SIZE=1"), STR_INIT("a@example.org"),
		  STR_INIT(" SIZE=1") },
		{ STR_INIT(" <a@example.org>"), STR_INIT("a@example.org"), STR_INIT("") },
		{ STR_INIT("a@example.org SIZE=1"), STR_INIT("a@example.org"),
		  STR_INIT(" SIZE=1") },
		{ STR_INIT("<>"), STR_INIT(""), STR_INIT("") },
		{ STR_INIT("<> BODY=7BIT"), STR_INIT(""), STR_INIT(" BODY=7BIT") },
		{ STR_INIT("<Postmaster>"), STR_INIT("Postmaster"), STR_INIT("") },
		{ STR_INIT("<\"a\"@example.org>"), STR_INIT("a@example.org"), STR_INIT("") },
		{ STR_INIT("<\"\\a\\b\"@example.org>"), STR_INIT("ab@example.org"), STR_INIT("") },
		{ STR_INIT("<\"a b\"@example.org>"), STR_INIT("\"a b\"@example.org"),
		  STR_INIT("") },
		{ STR_INIT("<\"a\\\"\\\\>\"@example.org>"), STR_INIT("\"a\\\"\\\\>\"@example.org"),
		  STR_INIT("") },
		{ STR_INIT("<\"a@b\"@example.org>"), STR_INIT("\"a@b\"@example.org"),
		  STR_INIT("") },
		{ STR_INIT("<\".a..b.\"@example.org>"), STR_INIT("\".a..b.\"@example.org"),
		  STR_INIT("") },
		{ STR_INIT("<@relay.example,@[192.0.2.1]:a@example.org>"),
		  STR_INIT("a@example.org"), STR_INIT("") },
		{ STR_INIT("<a@[192.0.2.1]>"), STR_INIT("a@[192.0.2.1]"), STR_INIT("") },
		{ STR_INIT("<a@[IPv6:2001:db8::1]>"), STR_INIT("a@[IPv6:2001:db8::1]"),
		  STR_INIT("") },
		{ STR_INIT("<a+b=c@x_y.example>"), STR_INIT("a+b=c@x_y.example"), STR_INIT("") },
		{ STR_INIT("<!#$%&'*+-/=?^_`{|}~@a>"), STR_INIT("!#$%&'*+-/=?^_`{|}~@a"),
		  STR_INIT("") },
		{ STR_INIT("<j\xc3\xb6rg@b\xc3\xbc"
			   "cher.example>"),
		  STR_INIT("j\xc3\xb6rg@b\xc3\xbc"
			   "cher.example"),
		  STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str rest = cases[i].text;
		struct smtp_path path;
		assert_int_equal(smtp_path_parse(&rest, &a, &path), 0);
		assert_true(str_eq(path.address, cases[i].address));
		assert_true(str_eq(rest, cases[i].rest));
	}
}

static void malformed_paths_are_refused(void **state)
{
	(void)state;
	static const struct str cases[] = {
		STR_INIT(""),
		STR_INIT("<"),
		STR_INIT("<a"),
		STR_INIT("<a@"),
		STR_INIT("<a@>"),
		STR_INIT("<@example.org>"),
		STR_INIT("<a@example.org"),
		STR_INIT("<a@example.org>x"),
		STR_INIT("<a@example.org>>"),
		STR_INIT("<<a@example.org>>"),
		STR_INIT("<a b@example.org>"),
		STR_INIT("<a..b@example.org>"),
		STR_INIT("<.a@example.org>"),
		STR_INIT("<a.@example.org>"),
		STR_INIT("<a@exam ple.org>"),
		STR_INIT("<a@example..org>"),
		STR_INIT("<a@.example.org>"),
		STR_INIT("<a@example.org.>"),
		STR_INIT("<a@-example.org>"),
		STR_INIT("<a@b@example.org>"),
		STR_INIT("<a@[192.0.2.256]>"),
		STR_INIT("<a@[192.0.2.1>"),
		STR_INIT("<a@[IPv6:192.0.2.1]>"),
		STR_INIT("<a@[tag:text]>"),
		STR_INIT("<a@[]>"),
		STR_INIT("<\"a@example.org>"),
		STR_INIT("<\"a\\"),
		STR_INIT("<\"\"@example.org>"),
		STR_INIT("<\"\">"),
		STR_INIT("<\"a\tb\"@example.org>"),
		STR_INIT("<a\0b@example.org>"),
		STR_INIT("<a@example.org\0>"),
		STR_INIT("<\x80@example.org>"),
		STR_INIT("<a@\xc3>"),
		STR_INIT("<@relay.example>"),
		STR_INIT("<@relay.example:>"),
		STR_INIT("<@relay.example,b:a@example.org>"),
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str rest = cases[i];
		struct smtp_path path;
		assert_int_equal(smtp_path_parse(&rest, &a, &path), -EINVAL);
		assert_true(str_eq(rest, cases[i]));
	}
}

static void parse_of_lengths(size_t local, size_t domain, int expected)
{
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;
	buf_init(&b, &a, 4096);
	buf_putc(&b, '<');
	for (size_t i = 0; i < local; i++)
		buf_putc(&b, 'l');
	buf_putc(&b, '@');
	for (size_t i = 0; i < domain; i++)
		buf_putc(&b, i % 10 == 9 && i + 1 < domain ? '.' : 'd');
	buf_putc(&b, '>');

	struct str rest = buf_str(&b);
	struct smtp_path path;
	assert_int_equal(smtp_path_parse(&rest, &a, &path), expected);
}

static void long_parts_are_refused(void **state)
{
	(void)state;
	parse_of_lengths(64, 189, 0);
	parse_of_lengths(SMTP_LOCAL_MAX, 255, 0);
	parse_of_lengths(SMTP_LOCAL_MAX + 1, 10, -EMSGSIZE);
	parse_of_lengths(10, 256, -EMSGSIZE);
}

static void a_bare_name_gets_the_domain_of_the_server(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = STR("<\"root user\">");
	struct smtp_path path;
	assert_int_equal(smtp_path_parse(&rest, &a, &path), 0);
	smtp_path_qualify(&path, STR("mail.example.org"), &a);
	assert_true(str_eq(path.address, STR("\"root user\"@mail.example.org")));
	assert_true(str_eq(path.domain, STR("mail.example.org")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_have_one_canonical_spelling),
		cmocka_unit_test(malformed_paths_are_refused),
		cmocka_unit_test(long_parts_are_refused),
		cmocka_unit_test(a_bare_name_gets_the_domain_of_the_server),
	};
	return cmocka_run_group_tests_name("smtp/path", tests, NULL, NULL);
}
