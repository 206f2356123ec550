#include "imap/lexer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text_feed.h"

static struct text_feed feed;

static int teardown(void **state)
{
	(void)state;
	text_feed_done(&feed);
	return 0;
}

static void assert_str(struct str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	if (got.n)
		assert_memory_equal(got.p, want, got.n);
}

static void a_command_is_a_tag_a_word_and_arguments(void **state)
{
	struct imap_lexer *lx = text_feed_begin(&feed, STR("a1 LOGIN joe \"se\\\"cret\"\r\n"));
	struct str tag, word, user, pass;

	(void)state;
	assert_int_equal(imap_lexer_tag(lx, &tag), 0);
	assert_int_equal(imap_lexer_space(lx), 0);
	assert_int_equal(imap_lexer_atom(lx, &word), 0);
	assert_int_equal(imap_lexer_space(lx), 0);
	assert_int_equal(imap_lexer_astring(lx, &user), 0);
	assert_int_equal(imap_lexer_space(lx), 0);
	assert_int_equal(imap_lexer_astring(lx, &pass), 0);
	assert_int_equal(imap_lexer_end(lx), 0);
	assert_str(tag, "a1");
	assert_str(word, "LOGIN");
	assert_str(user, "joe");
	assert_str(pass, "se\"cret");
}

static void a_literal_is_asked_for_when_the_parser_reaches_it(void **state)
{
	struct imap_lexer *lx = text_feed_begin(&feed, STR("{5}\r\nhello {2+}\r\n\r\n\r\n"));
	struct str a, b;

	(void)state;
	assert_int_equal(feed.asked, 0);
	assert_int_equal(imap_lexer_astring(lx, &a), 0);
	assert_int_equal(feed.asked, 1);
	assert_int_equal(imap_lexer_space(lx), 0);
	assert_int_equal(imap_lexer_astring(lx, &b), 0);
	assert_int_equal(feed.asked, 1);
	assert_int_equal(imap_lexer_end(lx), 0);
	assert_str(a, "hello");
	assert_str(b, "\r\n");
}

static void malformed_astrings_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} table[] = {
		{ "\n", "Missing argument" },
		{ "(", "Expected a string" },
		{ "\"open", "Missing closing quote" },
		{ "\"a\\n\"", "Invalid escape in a quoted string" },
		{ "\"a\\", "Invalid escape in a quoted string" },
		{ "{", "Invalid literal" },
		{ "{}", "Invalid literal" },
		{ "{+}", "Invalid literal" },
		{ "{-1}", "Invalid literal" },
		{ "{5} x", "Invalid literal" },
		{ "{101}", "Literal too large" },
		{ "{99999999999999999999999999}", "Literal too large" },
		{ "{1}\r\n\n\n", "Missing argument" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct imap_lexer *lx = text_feed_begin(&feed, str_from(table[i].text));
		struct str s;
		int r = imap_lexer_astring(lx, &s);
		if (r == 0)
			r = imap_lexer_astring(lx, &s);
		assert_int_equal(r, -EBADMSG);
		assert_string_equal(lx->bad, table[i].why);
		text_feed_done(&feed);
	}
}

static void a_literal_with_nul_is_refused(void **state)
{
	struct imap_lexer *lx = text_feed_begin(&feed, STR("{3}\r\na\0b\r\n"));
	struct str s;

	(void)state;
	assert_int_equal(imap_lexer_string(lx, &s), -EBADMSG);
}

static void the_whole_command_is_limited(void **state)
{
	static char text[1000];
	struct buf b;
	struct str s;
	int r = 0;

	(void)state;
	buf_init(&b, NULL, sizeof(text));
	for (int i = 0; i < 8; i++)
		buf_printf(&b, "{90+}\r\n%090d ", 0);
	struct imap_lexer *lx = text_feed_begin(&feed, buf_str(&b));
	int taken = 0;
	while (r == 0 && (r = imap_lexer_astring(lx, &s)) == 0) {
		taken++;
		r = imap_lexer_space(lx);
	}
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(taken, 4);
	assert_string_equal(lx->bad, "Literal too large");
	buf_done(&b);
}

static void the_rest_of_a_bad_command_is_skipped_with_its_literals(void **state)
{
	struct imap_lexer *lx =
		text_feed_begin(&feed, STR("a bad {3+}\r\nx\nz {2+}\r\nhi {9}\r\nb NOOP\r\n"));

	struct str tag;

	(void)state;
	assert_int_equal(imap_lexer_skip_rest(lx), 0);
	assert_int_equal(feed.asked, 0);
	assert_int_equal(imap_lexer_begin(lx, &tag), 0);
	assert_null(tag.p);
	assert_str(lx->line, "b NOOP");
}

static void too_much_to_skip_is_hopeless(void **state)
{
	struct imap_lexer *lx = text_feed_begin(&feed, STR("a bad {1001+}\r\n"));

	(void)state;
	assert_int_equal(imap_lexer_skip_rest(lx), -EFBIG);
}

static void flags_are_system_names_or_keywords(void **state)
{
	static const struct {
		const char *text;
		int r;
	} table[] = {
		{ "\\Seen", 0 },     { "$Forwarded", 0 }, { "NonJunk", 0 },
		{ "\\*", -EBADMSG }, { "\\", -EBADMSG },  { "(", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct imap_lexer *lx =
			text_feed_begin(&feed, str_from(table[i].text[0] ? table[i].text : " "));
		struct str s;
		assert_int_equal(imap_lexer_flag(lx, &s), table[i].r);
		if (table[i].r == 0)
			assert_str(s, table[i].text);
		text_feed_done(&feed);
	}
}

static void words_are_compared_as_a_whole(void **state)
{
	struct imap_lexer *lx = text_feed_begin(&feed, STR("NILS nil"));
	struct str s;

	(void)state;
	assert_false(imap_lexer_accept_word(lx, "NIL"));
	assert_int_equal(imap_lexer_atom(lx, &s), 0);
	assert_int_equal(imap_lexer_space(lx), 0);
	assert_int_equal(imap_lexer_nstring(lx, &s), 0);
	assert_null(s.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_command_is_a_tag_a_word_and_arguments, teardown),
		cmocka_unit_test_teardown(a_literal_is_asked_for_when_the_parser_reaches_it,
					  teardown),
		cmocka_unit_test_teardown(malformed_astrings_are_refused, teardown),
		cmocka_unit_test_teardown(a_literal_with_nul_is_refused, teardown),
		cmocka_unit_test_teardown(the_whole_command_is_limited, teardown),
		cmocka_unit_test_teardown(the_rest_of_a_bad_command_is_skipped_with_its_literals,
					  teardown),
		cmocka_unit_test_teardown(too_much_to_skip_is_hopeless, teardown),
		cmocka_unit_test_teardown(flags_are_system_names_or_keywords, teardown),
		cmocka_unit_test_teardown(words_are_compared_as_a_whole, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
