#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/str.h"

static void empty_slices_are_equal_whatever_they_point_to(void **state)
{
	(void)state;
	assert_true(str_eq(STR_NONE, STR("")));
	assert_true(str_eq(str_from(NULL), STR_NONE));
	assert_true(str_eq_nocase(STR_NONE, STR("")));
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
	assert_true(str_starts(STR_NONE, STR_NONE));
	assert_true(str_ends(STR_NONE, STR_NONE));
	assert_int_equal(str_find_byte(STR_NONE, 'a'), -1);
	assert_int_equal(str_rfind_byte(STR_NONE, 'a'), -1);
	assert_int_equal(str_find_nocase(STR_NONE, STR("a")), -1);
	assert_int_equal(str_trim(STR_NONE).n, 0);
	assert_int_equal(str_chomp(STR_NONE).n, 0);
	assert_true(str_is_ascii(STR_NONE));
}

static void parts_are_cut_to_what_there_is(void **state)
{
	(void)state;
	struct str s = STR("hello");

	assert_true(str_eq(str_sub(s, 1, 3), STR("ell")));
	assert_true(str_eq(str_sub(s, 3, SIZE_MAX), STR("lo")));
	assert_int_equal(str_sub(s, 9, 1).n, 0);
	assert_true(str_eq(str_skip(s, 2), STR("llo")));
	assert_int_equal(str_skip(s, SIZE_MAX).n, 0);
	assert_int_equal(str_skip(STR_NONE, 1).n, 0);
}

static void order_is_that_of_bytes_shorter_first(void **state)
{
	(void)state;
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_true(str_cmp(STR("a"), STR("B")) > 0);
	assert_true(str_cmp_nocase(STR("a"), STR("B")) < 0);
	assert_int_equal(str_cmp_nocase(STR("aB"), STR("Ab")), 0);
	assert_true(str_cmp_nocase(STR("\xff"), STR("a")) > 0);
}

static void case_is_folded_in_ascii_only(void **state)
{
	(void)state;
	assert_true(str_eq_nocase(STR("MAIL"), STR("mail")));
	assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	char text[] = "ABCxyz@[\xc4";
	str_lower_bytes(text, sizeof(text) - 1);
	assert_string_equal(text, "abcxyz@[\xc4");
	assert_int_equal(ascii_upper('z'), 'Z');
	assert_int_equal(ascii_upper('{'), '{');
}

static void prefixes_and_suffixes(void **state)
{
	(void)state;
	assert_true(str_starts(STR("MAIL FROM"), STR("MAIL")));
	assert_false(str_starts(STR("MA"), STR("MAIL")));
	assert_true(str_starts_nocase(STR("mail FROM"), STR("MAIL")));
	assert_true(str_ends(STR("a.example"), STR(".example")));
	assert_false(str_ends(STR("example"), STR(".example")));
	assert_true(str_ends_nocase(STR("a.EXAMPLE"), STR(".example")));
}

static void things_are_found_where_they_are(void **state)
{
	(void)state;
	struct str s = STR("a@b@c");

	assert_int_equal(str_find_byte(s, '@'), 1);
	assert_int_equal(str_rfind_byte(s, '@'), 3);
	assert_int_equal(str_find_byte(s, 'x'), -1);
	assert_int_equal(str_find(s, STR("b@")), 2);
	assert_int_equal(str_find(s, STR("b@d")), -1);
	assert_int_equal(str_find(s, STR("")), 0);
	assert_int_equal(str_find_nocase(s, STR("B@C")), 2);
	assert_int_equal(str_find_nocase(s, STR("a@b@c!")), -1);
	assert_int_equal(str_find_nocase(s, STR("")), 0);
}

static void blanks_and_line_ends_are_trimmed(void **state)
{
	(void)state;
	assert_true(str_eq(str_trim(STR(" \t a b\r\n ")), STR("a b")));
	assert_true(str_eq(str_trim_end(STR(" a \r\n")), STR(" a")));
	assert_int_equal(str_trim(STR(" \r\n\t")).n, 0);
}

static void chomp_takes_one_line_end(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
		{ STR_INIT("a\r\n"), STR_INIT("a") },	  { STR_INIT("a\n"), STR_INIT("a") },
		{ STR_INIT("a\r"), STR_INIT("a\r") },	  { STR_INIT("a"), STR_INIT("a") },
		{ STR_INIT("a\n\n"), STR_INIT("a\n") },	  { STR_INIT("\r\n"), STR_INIT("") },
		{ STR_INIT("a\r\r\n"), STR_INIT("a\r") }, { STR_INIT(""), STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(str_eq(str_chomp(cases[i].in), cases[i].out));
}

static void cut_splits_at_the_first_separator(void **state)
{
	(void)state;
	struct str before, after;

	assert_true(str_cut(STR("k=v=w"), '=', &before, &after));
	assert_true(str_eq(before, STR("k")));
	assert_true(str_eq(after, STR("v=w")));
	assert_true(str_cut(STR("k="), '=', &before, &after));
	assert_int_equal(after.n, 0);
	assert_false(str_cut(STR("k"), '=', &before, &after));
	assert_true(str_eq(before, STR("k")));
	assert_int_equal(after.n, 0);
}

static void words_are_taken_in_order(void **state)
{
	(void)state;
	struct str rest = STR("  MAIL\tFROM:<a@b> "), word;

	assert_true(str_next_word(&rest, &word));
	assert_true(str_eq(word, STR("MAIL")));
	assert_true(str_next_word(&rest, &word));
	assert_true(str_eq(word, STR("FROM:<a@b>")));
	assert_false(str_next_word(&rest, &word));
	rest = STR_NONE;
	assert_false(str_next_word(&rest, &word));
}

static void lines_end_with_lf_or_crlf_or_the_text(void **state)
{
	(void)state;
	static const struct str want[] = { STR_INIT("one"), STR_INIT(""), STR_INIT("t\rwo"),
					   STR_INIT("three\r") };
	size_t i = 0;

	STR_FOREACH_LINE (STR("one\r\n\nt\rwo\nthree\r"), line) {
		assert_true(i < ARRAY_LEN(want));
		assert_true(str_eq(line, want[i++]));
	}
	assert_int_equal(i, ARRAY_LEN(want));
	STR_FOREACH_LINE (STR_NONE, line)
		fail_msg("a line of %zu bytes in nothing", line.n);
}

static void numbers_are_whole_strings_within_their_limit(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		int result;
		uint64_t value;
	} cases[] = {
		{ STR_INIT("0"), 0, 0 },
		{ STR_INIT("250"), 0, 250 },
		{ STR_INIT("000000000000000000000255"), 0, 255 },
		{ STR_INIT("256"), -ERANGE, 0 },
		{ STR_INIT("18446744073709551616"), -ERANGE, 0 },
		{ STR_INIT("99999999999999999999999"), -ERANGE, 0 },
		{ STR_INIT("99999999999999999999999x"), -EINVAL, 0 },
		{ STR_INIT(""), -EINVAL, 0 },
		{ STR_INIT("-1"), -EINVAL, 0 },
		{ STR_INIT("+1"), -EINVAL, 0 },
		{ STR_INIT(" 1"), -EINVAL, 0 },
		{ STR_INIT("1x"), -EINVAL, 0 },
		{ STR_INIT("1\0"), -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;
		assert_int_equal(str_to_u64(cases[i].text, 255, &v), cases[i].result);
		assert_int_equal(v, cases[i].value);
	}
	uint64_t v;
	assert_int_equal(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
}

static void bytes_are_classified(void **state)
{
	(void)state;
	for (int c = -1; c < 256; c++) {
		bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
		bool digit = c >= '0' && c <= '9';
		assert_int_equal(ascii_is_alpha(c), upper || lower);
		assert_int_equal(ascii_is_alnum(c), upper || lower || digit);
		assert_int_equal(ascii_is_space(c),
				 c == ' ' || (c == '\t') || c == '\r' || c == '\n');
		bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		assert_int_equal(ascii_hex_value(c) >= 0, hex);
	}
	assert_int_equal(ascii_hex_value('f'), 15);
	assert_int_equal(ascii_hex_value('A'), 10);
	assert_false(str_is_ascii(STR("gr\xc3\xbc")));
	assert_true(str_is_printable(STR(" ~")));
	assert_false(str_is_printable(STR("\x7f")));
	assert_false(str_is_printable(STR("\xc3")));
	assert_false(str_is_printable(STR("a\n")));
}

static void hashes_depend_on_every_byte_and_the_seed(void **state)
{
	(void)state;
	char text[] = "0123456789abcdefghi";
	struct str s = str_from(text);
	uint64_t h = str_hash(s, 1);

	assert_true(str_hash(s, 1) == h);
	assert_true(str_hash(s, 2) != h);
	assert_true(str_hash(str_sub(s, 0, s.n - 1), 1) != h);
	for (size_t i = 0; i < s.n; i++) {
		text[i] ^= 1;
		assert_true(str_hash(s, 1) != h);
		text[i] ^= 1;
	}
	assert_true(str_hash(STR("a"), 1) != str_hash(str_of("a\0", 2), 1));
}

static void secrets_are_compared_in_full(void **state)
{
	(void)state;
	assert_true(str_eq_secret(STR("secret"), STR("secret")));
	assert_false(str_eq_secret(STR("secret"), STR("secreT")));
	assert_false(str_eq_secret(STR("secret"), STR("Secret")));
	assert_false(str_eq_secret(STR("secret"), STR("secre")));
	assert_true(str_eq_secret(STR_NONE, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_slices_are_equal_whatever_they_point_to),
		cmocka_unit_test(parts_are_cut_to_what_there_is),
		cmocka_unit_test(order_is_that_of_bytes_shorter_first),
		cmocka_unit_test(case_is_folded_in_ascii_only),
		cmocka_unit_test(prefixes_and_suffixes),
		cmocka_unit_test(things_are_found_where_they_are),
		cmocka_unit_test(blanks_and_line_ends_are_trimmed),
		cmocka_unit_test(chomp_takes_one_line_end),
		cmocka_unit_test(cut_splits_at_the_first_separator),
		cmocka_unit_test(words_are_taken_in_order),
		cmocka_unit_test(lines_end_with_lf_or_crlf_or_the_text),
		cmocka_unit_test(numbers_are_whole_strings_within_their_limit),
		cmocka_unit_test(bytes_are_classified),
		cmocka_unit_test(hashes_depend_on_every_byte_and_the_seed),
		cmocka_unit_test(secrets_are_compared_in_full),
	};
	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
