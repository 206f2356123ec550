#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "mime/utf7.h"

static void names_are_translated_both_ways(void **state)
{
	(void)state;
	static const struct {
		const char *utf7, *utf8;
	} cases[] = {
		{ "", "" },
		{ "INBOX", "INBOX" },
		{ "A&-B", "A&B" },
		{ "&-&-", "&&" },
		{ "a+b", "a+b" },
		/* RFC 3501 5.1.3 */
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		  "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "Entw&APw-rfe", "Entw\xc3\xbcrfe" },
		{ "&2D3eAA-", "\xf0\x9f\x98\x80" },
		{ "&AOQ-&-", "\xc3\xa4&" },
		{ "&AOQA9g-", "\xc3\xa4\xc3\xb6" },
		{ "&AAEAfw-", "\x01\x7f" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf b;
		buf_init(&b, &a, 100);
		assert_int_equal(mime_utf7_decode(str_from(cases[i].utf7), &b), 0);
		assert_string_equal(buf_cstr(&b), cases[i].utf8);
		buf_clear(&b);
		assert_int_equal(mime_utf7_encode(str_from(cases[i].utf8), &b), 0);
		assert_string_equal(buf_cstr(&b), cases[i].utf7);
	}
}

static void a_name_has_one_spelling(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"&",	      /* shift without end */
		"&AOQ",	      /* the same */
		"&A-",	      /* half a character */
		"&AOQA-",     /* one and a half */
		"&AOR-",      /* unused bits are not zero */
		"&AGE-",      /* 'a' needs no shift */
		"&ACY-",      /* '&' is "&-" */
		"&AOQ-&APY-", /* two shifts where one does */
		"&AO/-",      /* not the modified alphabet */
		"&2D0-",      /* half a pair */
		"&3gA-",      /* the other half */
		"&2D0AYQ-",   /* a pair of the wrong kind */
		"\xc3\xa4",   /* not ASCII */
		"a\tb",	      /* control */
		"&AO Q-",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct buf b;
		buf_init(&b, &a, 100);
		buf_puts(&b, "before");
		if (mime_utf7_decode(str_from(bad[i]), &b) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(buf_cstr(&b), "before");
	}
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;
	buf_init(&b, &a, 100);
	assert_int_equal(mime_utf7_encode(STR("a\xff"), &b), -EILSEQ);
	assert_int_equal(b.n, 0);
}

static void every_character_comes_back(void **state)
{
	(void)state;
	auto_buf struct buf text, name, back;
	buf_init(&text, NULL, 16);
	buf_init(&name, NULL, 64);
	buf_init(&back, NULL, 16);
	for (uint32_t cp = 0; cp <= 0x10ffff; cp += cp < 0x1000 ? 1 : 251) {
		buf_clear(&text);
		buf_clear(&name);
		buf_clear(&back);
		buf_putc(&text, 'x');
		utf8_put(&text, cp);
		utf8_put(&text, 0xe4);
		assert_int_equal(mime_utf7_encode(buf_str(&text), &name), 0);
		assert_int_equal(mime_utf7_decode(buf_str(&name), &back), 0);
		assert_true(str_eq(buf_str(&back), buf_str(&text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_translated_both_ways),
		cmocka_unit_test(a_name_has_one_spelling),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(every_character_comes_back),
	};
	return cmocka_run_group_tests_name("mime/utf7", tests, NULL, NULL);
}
