#include "imap/flags.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/store.h"
#include "text_feed.h"

static void system_flags_and_keywords_are_told_apart(void **state)
{
	static const struct {
		const char *text, *keywords; /* joined by '|'; NULL: refused */
		uint32_t flags;
	} table[] = {
		{ "()", "", 0 },
		{ "(\\Seen)", "", STORE_SEEN },
		{ "(\\seen \\DELETED)", "", STORE_SEEN | STORE_DELETED },
		{ "(\\Answered \\Flagged \\Draft)", "",
		  STORE_ANSWERED | STORE_FLAGGED | STORE_DRAFT },
		{ "(\\Recent \\Seen)", "", STORE_SEEN },
		{ "($Label1 Work)", "$Label1|Work", 0 },
		{ "\\Seen", "", STORE_SEEN },
		{ "\\Seen a b", "a|b", STORE_SEEN },
		{ "", NULL },
		{ "(", NULL },
		{ "(\\Seen", NULL },
		{ "(\\Seen  x)", NULL },
		{ "( \\Seen)", NULL },
		{ "(\\*)", NULL },
		{ "(\\Frob)", NULL },
		{ "(\\)", NULL },
		{ "(\"x\")", NULL },
		{ "(a]b)", NULL },
		{ "(a%)", NULL },
		{ "(\xc3\xa4)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		struct store_mark mark;
		struct buf b;
		char line[100];
		snprintf(line, sizeof(line), "%s\n", table[i].text);
		struct imap_lexer *lx = text_feed_begin(&feed, str_from(line));
		int r = imap_flags_parse(lx, &mark);
		r = r < 0 ? r : imap_lexer_end(lx);
		assert_int_equal(r, table[i].keywords ? 0 : -EBADMSG);
		if (r == 0) {
			buf_init(&b, &feed.arena, 1000);
			for (size_t k = 0; k < mark.nkeywords; k++) {
				buf_puts(&b, k ? "|" : "");
				buf_put_str(&b, mark.keywords[k]);
			}
			assert_string_equal(buf_cstr(&b), table[i].keywords);
			assert_int_equal(mark.flags, table[i].flags);
		}
		text_feed_done(&feed);
	}
}

/* "keyword ", `count` times, in parentheses. */
static const char *refusal(struct text_feed *feed, size_t length, int count)
{
	static char text[30000];
	struct store_mark mark;
	size_t n = 0;

	text[n++] = '(';
	for (int i = 0; i < count; i++) {
		memset(text + n, 'k', length);
		n += length;
		text[n++] = ' ';
	}
	text[n - 1] = ')';
	text[n++] = '\n';
	struct imap_lexer *lx = text_feed_begin_long(feed, str_of(text, n));
	return imap_flags_parse_list(lx, &mark) < 0 ? lx->bad : "";
}

static void keywords_are_limited_in_length_and_number(void **state)
{
	static const struct {
		size_t length;
		int count;
		const char *bad;
	} table[] = {
		{ STORE_KEYWORD_LEN, 1, "" },
		{ STORE_KEYWORD_LEN + 1, 1, "The keyword is too long" },
		{ 3, 100, "" },
		{ 3, 101, "Too many keywords" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		assert_string_equal(refusal(&feed, table[i].length, table[i].count), table[i].bad);
		text_feed_done(&feed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_flags_and_keywords_are_told_apart),
		cmocka_unit_test(keywords_are_limited_in_length_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
