#include "imap/fetch_items.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "text_feed.h"

static const char *const kinds[] = {
	[IMAP_FETCH_UID] = "uid",
	[IMAP_FETCH_FLAGS] = "flags",
	[IMAP_FETCH_INTERNALDATE] = "date",
	[IMAP_FETCH_SIZE] = "size",
	[IMAP_FETCH_ENVELOPE] = "envelope",
	[IMAP_FETCH_BODY] = "body",
	[IMAP_FETCH_BODYSTRUCTURE] = "structure",
};

static void describe(struct buf *b, const struct imap_fetch_item *item)
{
	if (item->kind != IMAP_FETCH_SECTION) {
		buf_puts(b, kinds[item->kind]);
		return;
	}
	buf_puts(b, item->name ? item->name : "");
	imap_section_write(b, &item->section);
	if (item->is_partial)
		buf_printf(b, "<%u.%u>", item->offset, item->length);
	if (item->peek)
		buf_puts(b, " peek");
}

/* The items as text, or NULL when they are refused. */
static const char *parse(const char *text, struct text_feed *feed, struct imap_fetch_items *items)
{
	char line[200];
	struct buf b;

	snprintf(line, sizeof(line), "%s\n", text);
	struct imap_lexer *lx = text_feed_begin(feed, str_from(line));
	if (imap_fetch_items_parse(lx, items) < 0 || imap_lexer_end(lx) < 0)
		return NULL;
	buf_init(&b, &feed->arena, 1000);
	for (size_t i = 0; i < items->n; i++) {
		buf_puts(&b, i ? ", " : "");
		describe(&b, &items->v[i]);
	}
	return buf_cstr(&b);
}

static void items_lists_and_macros_are_understood(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} table[] = {
		{ "FLAGS", "flags" },
		{ "(uid flags)", "uid, flags" },
		{ "FAST", "flags, date, size" },
		{ "all", "flags, date, size, envelope" },
		{ "FULL", "flags, date, size, envelope, body" },
		{ "(UID UID UID)", "uid" },
		{ "BODY", "body" },
		{ "(BODY BODYSTRUCTURE)", "body, structure" },
		{ "BODY[]", "[]" },
		{ "BODY.PEEK[]", "[] peek" },
		{ "BODY[1.2.MIME]<0.10>", "[1.2.MIME]<0.10>" },
		{ "BODY.PEEK[HEADER.FIELDS (To)]<5.4294967295>",
		  "[HEADER.FIELDS (To)]<5.4294967295> peek" },
		{ "(RFC822.SIZE RFC822 RFC822.HEADER RFC822.TEXT)",
		  "size, RFC822[], RFC822.HEADER[HEADER] peek, RFC822.TEXT[TEXT]" },
		{ "(BODY[1] BODY[1])", "[1], [1]" },
		{ "", NULL },
		{ "()", NULL },
		{ "(ALL)", NULL },
		{ "(FLAGS", NULL },
		{ "(FLAGS )", NULL },
		{ "(FLAGS,UID)", NULL },
		{ "FLAGS UID", NULL },
		{ "FROB", NULL },
		{ "BODY.PEEK", NULL },
		{ "RFC822[]", NULL },
		{ "BODY[]<0>", NULL },
		{ "BODY[]<0.0>", NULL },
		{ "BODY[]<1.2", NULL },
		{ "BODY[]<4294967296.1>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		struct imap_fetch_items items;
		const char *got = parse(table[i].text, &feed, &items);
		if (table[i].want)
			assert_non_null(got);
		else
			assert_null(got);
		if (got)
			assert_string_equal(got, table[i].want);
		text_feed_done(&feed);
	}
}

static void it_is_known_beforehand_what_has_to_be_done(void **state)
{
	static const struct {
		const char *text;
		bool marks_seen, needs_date_or_size;
	} table[] = {
		{ "(FLAGS ENVELOPE BODY)", false, false },
		{ "BODY.PEEK[]", false, false },
		{ "RFC822.HEADER", false, false },
		{ "BODY[HEADER]", true, false },
		{ "RFC822.TEXT", true, false },
		{ "(BODY.PEEK[] BODY[])", true, false },
		{ "INTERNALDATE", false, true },
		{ "FAST", false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		struct imap_fetch_items items;
		assert_non_null(parse(table[i].text, &feed, &items));
		assert_int_equal(items.marks_seen, table[i].marks_seen);
		assert_int_equal(items.needs_date_or_size, table[i].needs_date_or_size);
		text_feed_done(&feed);
	}
}

static void a_hundred_items_are_enough(void **state)
{
	char text[2000] = "(BODY[1]";
	struct text_feed feed;
	struct imap_fetch_items items;

	(void)state;
	for (int i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " BODY[1]%s",
			 i == 99 ? ")\n" : "");
	struct imap_lexer *lx = text_feed_begin_long(&feed, str_from(text));
	assert_int_equal(imap_fetch_items_parse(lx, &items), -EBADMSG);
	assert_string_equal(lx->bad, "Too many items to fetch");
	text_feed_done(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_lists_and_macros_are_understood),
		cmocka_unit_test(it_is_known_beforehand_what_has_to_be_done),
		cmocka_unit_test(a_hundred_items_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
