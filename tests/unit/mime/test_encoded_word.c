#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mime/encoded_word.h"
#include "mime/param.h"

#define FFFD "\xef\xbf\xbd"

static void values_are_decoded_as_they_are_met(void **state)
{
	(void)state;
	static const struct {
		const char *value, *text;
	} cases[] = {
		/* RFC 2047 8 */
		{ "=?ISO-8859-1?Q?a?=", "a" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
		{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
		  "Keith Moore <moore@cs.utk.edu>" },
		{ "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik F\xc3\xa4ltstr\xc3\xb6m" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
		  " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
		  "If you can read this you understand the example." },
		/* RFC 2231 5 */
		{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
		/* characters split between words */
		{ "=?utf-8?Q?=E2=82?= =?UTF-8?Q?=AC?=", "\xe2\x82\xac" },
		{ "=?utf-8?B?4oI=?= =?utf-8?Q?=AC?=", "\xe2\x82\xac" },
		{ "=?utf-8?Q?=E2=82?= x", FFFD " x" },
		/* against the rules, and common */
		{ "\"=?utf-8?q?=c3=a4?=\"", "\"\xc3\xa4\"" },
		{ "Re:=?utf-8?Q?a?=b", "Re:ab" },
		{ "=?utf-8?Q?a b c?=", "a b c" },
		{ "=?utf-8?Q?what?\?=", "what?" },
		{ "=?utf-8?B?YQ?=", "a" },
		{ "=?utf-8?B?Y Q = =?=", "a" },
		{ "=?utf-8?Q?a=3?=", "a=3" },
		{ "=?utf-8?Q?\?=x", "x" },
		{ "raw \xc3\xa4 \xe4", "raw \xc3\xa4 " FFFD },
		{ "=?x-unknown?Q?=C3=A4?=", "\xc3\xa4" },
		/* not words */
		{ "", "" },
		{ "=?", "=?" },
		{ "=?\?Q?a?=", "=?\?Q?a?=" },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
		{ "=?utf-8?B?*?=", "=?utf-8?B?*?=" },
		{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
		{ "=?utf-8?Q", "=?utf-8?Q" },
		{ "=?=?utf-8?Q?a?=", "=?a" },
		{ "a =?b", "a =?b" },
		/* one line, whatever is in it */
		{ "=?utf-8?Q?a=0D=0ABcc:_b=00?=", "a  Bcc: b " },
		{ "a\x01\tb\x7f", "a \tb " },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf b;
		buf_init(&b, &a, 1000);
		mime_encoded_word_decode(str_from(cases[i].value), &b);
		assert_string_equal(buf_cstr(&b), cases[i].text);
	}
}

static void text_is_encoded_only_if_it_must_be(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t column;
		const char *value;
	} cases[] = {
		{ "plain text", 9, "plain text" },
		{ "", 9, "" },
		{ "J\xc3\xb6rg Meier", 9, "=?utf-8?Q?J=C3=B6rg_Meier?=" },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 9, "=?utf-8?B?5pel5pys?=" },
		{ "=?utf-8?Q?a?=", 0, "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=" },
		{ "\xc3\xa4 longer", 70, "\r\n =?utf-8?Q?=C3=A4_longer?=" },
		{ "a\r\nb", 0, "=?utf-8?Q?a=0D=0Ab?=" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf b;
		buf_init(&b, &a, 1000);
		mime_encoded_word_write(&b, str_from(cases[i].text), cases[i].column);
		assert_string_equal(buf_cstr(&b), cases[i].value);
	}
}

static void long_text_becomes_words_that_fit_and_decode_alone(void **state)
{
	(void)state;
	static const char *const units[] = { "\xe6\x97\xa5", "a long word \xc3\xa4 ",
					     "\xf0\x9f\x98\x80" };
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf text, value, back;
		buf_init(&text, &a, 10000);
		buf_init(&value, &a, 100000);
		buf_init(&back, &a, 10000);
		for (int n = 0; n < 100; n++)
			buf_puts(&text, units[i]);
		mime_encoded_word_write(&value, buf_str(&text), 30);

		size_t column = 30;
		STR_FOREACH_LINE (buf_str(&value), line) {
			assert_true(column + line.n <= 76);
			column = 0;
			struct buf alone;
			buf_init(&alone, &a, 1000);
			mime_encoded_word_decode(line, &alone);
			assert_true(str_find(buf_str(&alone), STR(FFFD)) < 0);
		}
		mime_encoded_word_decode(buf_str(&value), &back);
		assert_true(str_eq(buf_str(&back), buf_str(&text)));
	}
}

static void parameters_are_read_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "attachment; filename=x.pdf", "x.pdf" },
		{ "attachment; filename*=iso-8859-1''%e4%0d%0a.pdf", "\xc3\xa4  .pdf" },
		{ "attachment; filename=\"=?utf-8?B?w6Q=?=.pdf\"", "\xc3\xa4.pdf" },
		{ "attachment; filename=\"\xc3\xa4.pdf\"", "\xc3\xa4.pdf" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_disposition d;
		struct buf b;
		buf_init(&b, &a, 1000);
		assert_int_equal(mime_disposition_parse(str_from(cases[i].value), &a, &d), 0);
		mime_param_text(mime_param_find(&d.params, STR("filename")), &b);
		assert_string_equal(buf_cstr(&b), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_decoded_as_they_are_met),
		cmocka_unit_test(text_is_encoded_only_if_it_must_be),
		cmocka_unit_test(long_text_becomes_words_that_fit_and_decode_alone),
		cmocka_unit_test(parameters_are_read_as_text),
	};
	return cmocka_run_group_tests_name("mime/encoded_word", tests, NULL, NULL);
}
