#include "imap/section.h"

#include <errno.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "imap/fetch_items.h"
#include "text_feed.h"

static void sections_are_echoed_in_their_normal_form(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} table[] = {
		{ "]", "[]" },
		{ "header]", "[HEADER]" },
		{ "TEXT]", "[TEXT]" },
		{ "1]", "[1]" },
		{ "1.2.3]", "[1.2.3]" },
		{ "4.1.mime]", "[4.1.MIME]" },
		{ "4.2.HEADER]", "[4.2.HEADER]" },
		{ "HEADER.FIELDS (From \"To\" {4+}\r\nDate)]", "[HEADER.FIELDS (From To Date)]" },
		{ "2.header.fields.not (X)]", "[2.HEADER.FIELDS.NOT (X)]" },
		{ "HEADER.FIELDS (\"a b\")]", "[HEADER.FIELDS (\"a b\")]" },
		{ "", NULL },
		{ "MIME]", NULL },
		{ "1.]", NULL },
		{ ".1]", NULL },
		{ "0]", NULL },
		{ "1.0]", NULL },
		{ "1HEADER]", NULL },
		{ "HEADER.FIELDS]", NULL },
		{ "HEADER.FIELDS ()]", NULL },
		{ "HEADERS]", NULL },
		{ "99999999999]", NULL },
		{ "1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		char text[100];
		snprintf(text, sizeof(text), "%s\n", table[i].text);
		struct imap_lexer *lx = text_feed_begin(&feed, str_from(text));
		struct imap_section section;
		int r = imap_section_parse(lx, &section);
		assert_int_equal(r, table[i].want ? 0 : -EBADMSG);
		if (table[i].want) {
			struct buf b;
			buf_init(&b, &feed.arena, 1000);
			imap_section_write(&b, &section);
			assert_string_equal(buf_cstr(&b), table[i].want);
		}
		text_feed_done(&feed);
	}
}

static void header_fields_are_chosen_by_name(void **state)
{
	static const char header[] = "From: a\nTo: b,\n c\ngarbage\nSUBJECT: d\n\n";
	struct str names[] = { STR("to"), STR("Subject") };
	struct imap_section section = { .fields = names, .nfields = 2 };
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 1000);
	section.kind = IMAP_SECTION_FIELDS;
	imap_section_filter_header(&b, str_from(header), &section);
	assert_string_equal(buf_cstr(&b), "To: b,\r\n c\r\nSUBJECT: d\r\n\r\n");
	buf_clear(&b);
	section.kind = IMAP_SECTION_FIELDS_NOT;
	imap_section_filter_header(&b, str_from(header), &section);
	assert_string_equal(buf_cstr(&b), "From: a\r\ngarbage\r\n\r\n");
}

static int parse_items(struct text_feed *feed, const char *text, struct imap_fetch_items *out)
{
	char line[200];

	snprintf(line, sizeof(line), "%s\n", text);
	struct imap_lexer *lx = text_feed_begin(feed, str_from(line));
	int r = imap_fetch_items_parse(lx, out);
	return r < 0 ? r : imap_lexer_end(lx);
}

static void fetch_items_are_one_a_list_or_a_macro(void **state)
{
	static const struct {
		const char *text;
		int n; /* -1: refused */
		bool marks_seen;
	} table[] = {
		{ "FLAGS", 1, false },
		{ "all", 4, false },
		{ "FAST", 3, false },
		{ "FULL", 5, false },
		{ "(UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.10> RFC822.SIZE)", 4, false },
		{ "BODY[]", 1, true },
		{ "BODY", 1, false },
		{ "RFC822", 1, true },
		{ "RFC822.HEADER", 1, false },
		{ "RFC822.TEXT", 1, true },
		{ "(ALL)", -1, false },
		{ "()", -1, false },
		{ "(FLAGS", -1, false },
		{ "BODY[]<0>", -1, false },
		{ "BODY[]<0.0>", -1, false },
		{ "BODY.PEEK", -1, false },
		{ "FLAGS UID", -1, false },
		{ "FROB", -1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct imap_fetch_items items;
		struct text_feed feed;
		int r = parse_items(&feed, table[i].text, &items);
		assert_int_equal(r, table[i].n < 0 ? -EBADMSG : 0);
		if (r == 0) {
			assert_int_equal(items.n, table[i].n);
			assert_int_equal(items.marks_seen, table[i].marks_seen);
		}
		text_feed_done(&feed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_echoed_in_their_normal_form),
		cmocka_unit_test(header_fields_are_chosen_by_name),
		cmocka_unit_test(fetch_items_are_one_a_list_or_a_macro),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
