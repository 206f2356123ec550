#include "store/name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "store/store.h"

static void names_that_could_leave_the_account_are_refused(void **state)
{
	static const struct {
		const char *name;
		int want;
	} table[] = {
		{ "INBOX", 0 },
		{ "a.b.c", 0 },
		{ "Entw\xc3\xbcrfe 2024", 0 },
		{ "~a", 0 },
		{ "a*b%c", 0 },
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ ".a", -EINVAL },
		{ "a.", -EINVAL },
		{ "a..b", -EINVAL },
		{ "a/b", -EINVAL },
		{ "../x", -EINVAL },
		{ "a\nb", -EINVAL },
		{ "a\tb", -EINVAL },
		{ "a\x7f", -EINVAL },
		{ "a\xff", -EINVAL },
		{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t", 0 },
		{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u", -E2BIG },
	};
	static char longest[STORE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(store_name_check(str_from(table[i].name), NULL), table[i].want);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(store_name_check(str_of(longest, STORE_NAME_MAX), NULL), 0);
	assert_int_equal(store_name_check(str_of(longest, sizeof(longest)), NULL), -ENAMETOOLONG);
}

static void inbox_has_one_spelling_as_the_first_level(void **state)
{
	static const char *const table[][2] = {
		{ "INBOX", "INBOX" },	  { "inbox", "INBOX" },	    { "InBox.a.b", "INBOX.a.b" },
		{ "INBOX.x", "INBOX.x" }, { "inboxes", "inboxes" }, { "a.inbox", "a.inbox" },
		{ "inbo", "inbo" },
	};
	auto_arena struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_true(str_eq(store_name_canonical(&a, str_from(table[i][0])),
				   str_from(table[i][1])));
}

static int compare(const void *a, const void *b)
{
	return store_name_cmp(str_from(*(const char *const *)a), str_from(*(const char *const *)b));
}

static void parents_come_directly_before_their_children(void **state)
{
	static const char *const want[] = {
		"INBOX", "A", "A.B", "A.B.C", "A.C", "A B", "A-B", "a"
	};
	const char *names[] = { "a", "A-B", "A.C", "INBOX", "A B", "A.B.C", "A", "A.B" };

	(void)state;
	qsort(names, ARRAY_LEN(names), sizeof(names[0]), compare);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(names[i], want[i]);
	assert_true(store_name_is_below(STR("A.B.C"), STR("A")));
	assert_false(store_name_is_below(STR("AB"), STR("A")));
	assert_false(store_name_is_below(STR("A"), STR("A")));
	assert_true(str_eq(store_name_parent(STR("A.B.C")), STR("A.B")));
	assert_int_equal(store_name_parent(STR("A")).n, 0);
}

static void keywords_are_atoms(void **state)
{
	static const char *const good[] = { "$Label1", "NonJunk", "a.b/c:d", "+x" };
	static const char *const bad[] = { "",	  "\\Seen", "a b", "a(b", "a)",	      "a{",
					   "a%b", "a*",	    "a\"", "a]b", "\xc3\xa4", "a\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(store_keyword_is_valid(str_from(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(store_keyword_is_valid(str_from(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_could_leave_the_account_are_refused),
		cmocka_unit_test(inbox_has_one_spelling_as_the_first_level),
		cmocka_unit_test(parents_come_directly_before_their_children),
		cmocka_unit_test(keywords_are_atoms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
