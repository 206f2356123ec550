#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "mime/charset.h"

#define FFFD "\xef\xbf\xbd"

static void texts_become_utf8_in_pieces_of_any_size(void **state)
{
	(void)state;
	static const struct {
		const char *charset, *text, *utf8;
	} cases[] = {
		{ "us-ascii", "plain", "plain" },
		{ "us-ascii", "\xc3\xa4\xff", "\xc3\xa4" FFFD },
		{ "UTF-8", "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "utf8", "a\xe2\x82x", "a" FFFD "x" },
		{ "utf-8", "a\xe2\x82", "a" FFFD },
		{ "utf-8", "\x80\xc0\xed\xa0\x80", FFFD FFFD FFFD },
		{ "utf-8", "\xe2\xe2\x82\xac", FFFD "\xe2\x82\xac" },
		{ "ISO-8859-1", "\xe4\x80\xff", "\xc3\xa4\xe2\x82\xac\xc3\xbf" },
		{ " windows-1252 ", "\x93x\x94\x81", "\xe2\x80\x9cx\xe2\x80\x9d" FFFD },
		{ "iso-8859-15", "\xa4", "\xe2\x82\xac" },
		{ "koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8" },
		{ "ISO-2022-JP", "\x1b$BF|K\\\x1b(B!", "\xe6\x97\xa5\xe6\x9c\xac!" },
		{ "shift_jis", "\x93\xfa\x96{", "\xe6\x97\xa5\xe6\x9c\xac" },
		{ "gb2312", "\xd6\xd0\xce\xc4", "\xe4\xb8\xad\xe6\x96\x87" },
		{ "big5", "\xa4\xa4\xa4\xe5", "\xe4\xb8\xad\xe6\x96\x87" },
		{ "ks_c_5601-1987", "\xc7\xd1", "\xed\x95\x9c" },
		{ "gb18030", "\x94\x39\xfc\x36", "\xf0\x9f\x98\x80" },
		{ "gb18030", "\x94\x39\xfc", FFFD },
		{ "x-unknown", "\xc3\xa4\xe4", "\xc3\xa4" FFFD },
		{ "", "\xc3\xa4", "\xc3\xa4" },
		{ "utf-16,version=1", "ab", "ab" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str text = str_from(cases[i].text);
		for (size_t step = 1; step <= text.n; step++) {
			auto_arena struct arena a = ARENA_INIT;
			auto_charset struct mime_charset c;
			struct buf b;
			buf_init(&b, &a, 1000);
			mime_charset_open(&c, str_from(cases[i].charset));
			for (size_t at = 0; at < text.n; at += step)
				mime_charset_put(&c, str_sub(text, at, step), &b);
			mime_charset_finish(&c, &b);
			assert_string_equal(buf_cstr(&b), cases[i].utf8);
		}
	}
}

static void known_charsets_are_known(void **state)
{
	(void)state;
	static const char *const known[] = { "US-ASCII", "utf-8",  "iso-8859-1", "iso-8859-13",
					     "KOI8-U",	 "euc-jp", "utf-7",	 "windows-1251" };
	static const char *const unknown[] = { "", "x-unknown", "utf-8,swaplfnl", "no such",
					       "\xff" };
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_true(mime_charset_is_known(str_from(known[i])));
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_false(mime_charset_is_known(str_from(unknown[i])));
}

static void long_texts_are_converted_whole(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf text, b;
	buf_init(&text, &a, 1 << 20);
	buf_init(&b, &a, 1 << 20);
	for (int i = 0; i < 10000; i++)
		buf_puts(&text, "\x94\x39\xfc\x36");
	mime_charset_to_utf8(STR("gb18030"), buf_str(&text), &b);
	assert_int_equal(b.n, 40000);
	assert_true(utf8_is_valid(buf_str(&b)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_utf8_in_pieces_of_any_size),
		cmocka_unit_test(known_charsets_are_known),
		cmocka_unit_test(long_texts_are_converted_whole),
	};
	return cmocka_run_group_tests_name("mime/charset", tests, NULL, NULL);
}
