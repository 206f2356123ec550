#include "imap/list_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void percent_stops_at_the_separator(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} table[] = {
		{ "*", "a.b.c", true },
		{ "%", "a", true },
		{ "%", "a.b", false },
		{ "%.%", "a.b", true },
		{ "%.%", "a.b.c", false },
		{ "a*", "a.b.c", true },
		{ "a%", "a.b", false },
		{ "a%", "abc", true },
		{ "*c", "a.b.c", true },
		{ "*.c", "a.b.c", true },
		{ "%c", "a.b.c", false },
		{ "*b%", "a.b.c", false },
		{ "*%c", "a.b.c", true },
		{ "%b*d", "abbcd", true },
		{ "a*b%c", "axbxbxc", true },
		{ "a*b%c", "axb.bxc", true },
		{ "a*b%c", "axbx.c", false },
		{ "", "", true },
		{ "", "a", false },
		{ "%", "", true },
		{ "%a%b", "xaxxb", true },
		{ "%a%.b", "xa.a.b", false },
		{ "abc", "abc", true },
		{ "abc", "abd", false },
		{ "abc", "ABC", false },
		{ "inbox", "INBOX", true },
		{ "in%", "INBOX", true },
		{ "inbox.X", "INBOX.X", true },
		{ "inbox.x", "INBOX.X", false },
		{ "inboxes", "INBOXES", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (imap_list_match(str_from(table[i].pattern), str_from(table[i].name), '.') !=
		    table[i].want)
			fail_msg("\"%s\" and \"%s\"", table[i].pattern, table[i].name);
}

static void many_wildcards_do_not_take_forever(void **state)
{
	static char pattern[1001], name[1001];

	(void)state;
	for (int i = 0; i < 1000; i += 2)
		memcpy(pattern + i, i % 4 ? "*a" : "%a", 2);
	memset(name, 'a', 1000);
	name[999] = 'b';
	assert_false(imap_list_match(str_from(pattern), str_from(name), '.'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percent_stops_at_the_separator),
		cmocka_unit_test(many_wildcards_do_not_take_forever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
