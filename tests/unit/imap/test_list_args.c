#include "imap/list_args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "imap/status_items.h"
#include "text_feed.h"

#define SUBSCRIBED (IMAP_LIST_SUBSCRIBED | IMAP_LIST_TELL_SUBSCRIBED)

struct list_case {
	const char *text, *patterns; /* joined by '|'; NULL: refused */
	unsigned options;
	unsigned status;
	bool ask_root;
};

typedef int parse_fn(struct imap_lexer *lx, struct imap_list_args *out);

static void assert_case(const struct list_case *c, parse_fn *parse)
{
	struct text_feed feed;
	struct imap_list_args args;
	char line[300];
	struct buf b;

	snprintf(line, sizeof(line), "%s\n", c->text);
	struct imap_lexer *lx = text_feed_begin(&feed, str_from(line));
	assert_int_equal(parse(lx, &args), c->patterns ? 0 : -EBADMSG);
	if (!c->patterns) {
		assert_non_null(lx->bad);
		text_feed_done(&feed);
		return;
	}
	buf_init(&b, &feed.arena, 1000);
	for (size_t i = 0; i < args.n; i++) {
		buf_puts(&b, i ? "|" : "");
		buf_put_str(&b, args.patterns[i]);
	}
	assert_string_equal(buf_cstr(&b), c->patterns);
	assert_int_equal(args.options, c->options);
	assert_int_equal(args.status, c->status);
	assert_int_equal(args.ask_root, c->ask_root);
	text_feed_done(&feed);
}

static void list_is_understood_as_the_rfcs_write_it(void **state)
{
	static const struct list_case table[] = {
		{ " \"\" *", "*" },
		{ " \"\" \"%\"", "%" },
		{ " a. %", "a.%" },
		{ " \"\" {3+}\r\na.*", "a.*" },
		{ " \"\" Entw&APw-rfe", "Entw\xc3\xbcrfe" },
		{ " \"\" \"Entw\xc3\xbcrfe\"", "Entw\xc3\xbcrfe" },
		{ " \"\" &bad&", "" },
		{ " \"\" \"\"", "", .ask_root = true },
		{ " x \"\"", "x", .ask_root = true },
		{ " () \"\" *", "*", IMAP_LIST_EXTENDED },
		{ " (SUBSCRIBED) \"\" *", "*", IMAP_LIST_EXTENDED | SUBSCRIBED },
		{ " (subscribed REMOTE special-use) \"\" (a* \"b\" {1+}\r\nc)", "a*|b|c",
		  IMAP_LIST_EXTENDED | SUBSCRIBED | IMAP_LIST_SPECIAL_USE },
		{ " (RECURSIVEMATCH SUBSCRIBED) \"\" %", "%",
		  IMAP_LIST_EXTENDED | SUBSCRIBED | IMAP_LIST_RECURSIVE },
		{ " \"\" % RETURN ()", "%", IMAP_LIST_EXTENDED },
		{ " \"\" % return (SUBSCRIBED CHILDREN SPECIAL-USE)", "%",
		  IMAP_LIST_EXTENDED | IMAP_LIST_TELL_SUBSCRIBED },
		{ " \"\" % RETURN (STATUS (MESSAGES SIZE))", "%", IMAP_LIST_EXTENDED,
		  IMAP_STATUS_MESSAGES | IMAP_STATUS_SIZE },
		{ "", NULL },
		{ " \"\"", NULL },
		{ " \"\" * x", NULL },
		{ " (FROB) \"\" *", NULL },
		{ " (RECURSIVEMATCH) \"\" *", NULL },
		{ " (SUBSCRIBED)\"\" *", NULL },
		{ " \"\" ()", NULL },
		{ " \"\" (a", NULL },
		{ " \"\" % RETURN", NULL },
		{ " \"\" % RETURN (FROB)", NULL },
		{ " \"\" % RETURN (STATUS ())", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_case(&table[i], imap_list_args_parse);
}

static void lsub_knows_only_a_reference_and_a_pattern(void **state)
{
	static const struct list_case table[] = {
		{ " \"\" *", "*" },
		{ " a. b.%", "a.b.%" },
		{ " \"\" \"\"", "", .ask_root = true },
		{ " \"\" (a b)", NULL },
		{ " (SUBSCRIBED) \"\" *", NULL },
		{ " \"\" * RETURN (CHILDREN)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_case(&table[i], imap_lsub_args_parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_understood_as_the_rfcs_write_it),
		cmocka_unit_test(lsub_knows_only_a_reference_and_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
