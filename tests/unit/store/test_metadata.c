/* Notes of clients about mailboxes and the account. */
#include <errno.h>

#include "account.h"

static int set(struct account *t, const char *box, const char *entry, const char *value)
{
	struct store_meta m = { str_from(box), str_from(entry), str_from(value) };
	return store_meta_set(t->store, &m, 1, &t->err);
}

/* NULL when there is no such note. */
static const char *get(struct account *t, const char *box, const char *entry)
{
	struct store_meta_list l;

	assert_int_equal(store_meta_list(t->store, &t->a, &l, &t->err), 0);
	for (size_t i = 0; i < l.n; i++)
		if (str_eq(l.v[i].box, str_from(box)) && str_eq(l.v[i].entry, str_from(entry)))
			return arena_cstr(&t->a, l.v[i].value);
	return NULL;
}

static void notes_are_kept_replaced_and_removed(void **state)
{
	struct account *t = *state;

	assert_int_equal(set(t, "inbox", "/private/comment", "a\tb\r\nc%\x7f"), 0);
	assert_int_equal(set(t, "", "/shared/comment", ""), 0);
	account_reopen(t);
	assert_string_equal(get(t, "INBOX", "/private/comment"), "a\tb\r\nc%\x7f");
	assert_string_equal(get(t, "", "/shared/comment"), "");
	assert_int_equal(set(t, "INBOX", "/Private/Comment", "new"), 0);
	assert_string_equal(get(t, "INBOX", "/private/comment"), "new");
	assert_int_equal(set(t, "INBOX", "/private/comment", NULL), 0);
	assert_int_equal(set(t, "INBOX", "/private/none", NULL), 0);
	assert_null(get(t, "INBOX", "/private/comment"));
}

static void notes_move_and_end_with_their_mailbox(void **state)
{
	struct account *t = *state;

	assert_int_equal(store_box_create(t->store, STR("a.b"), &t->err), 0);
	assert_int_equal(store_box_create(t->store, STR("ab"), &t->err), 0);
	assert_int_equal(set(t, "a.b", "/private/x", "1"), 0);
	assert_int_equal(set(t, "ab", "/private/x", "2"), 0);
	assert_int_equal(store_box_rename(t->store, STR("a"), STR("c"), &t->err), 0);
	assert_null(get(t, "a.b", "/private/x"));
	assert_string_equal(get(t, "c.b", "/private/x"), "1");
	assert_string_equal(get(t, "ab", "/private/x"), "2");
	assert_int_equal(store_box_delete(t->store, STR("c.b"), &t->err), 0);
	assert_null(get(t, "c.b", "/private/x"));
}

static void what_cannot_be_noted_changes_nothing(void **state)
{
	struct account *t = *state;
	char *large = arena_alloc(&t->a, STORE_META_BYTES_MAX);
	struct store_meta two[] = {
		{ STR("INBOX"), STR("/private/a"), STR("1") },
		{ STR("none"), STR("/private/a"), STR("1") },
	};

	assert_int_equal(store_meta_set(t->store, two, 2, &t->err), -ENOENT);
	assert_null(get(t, "INBOX", "/private/a"));
	memset(large, 'x', STORE_META_BYTES_MAX);
	two[0].value = str_of(large, STORE_META_BYTES_MAX);
	assert_int_equal(store_meta_set(t->store, two, 1, &t->err), -E2BIG);
	assert_null(get(t, "INBOX", "/private/a"));
}

static void damaged_lines_are_reported_and_left_out(void **state)
{
	struct account *t = *state;

	account_write_file(t, "posthorn-metadata", "bad\nINBOX\t/private/a\t1\nx\t/e\t%zz\n\n");
	assert_string_equal(get(t, "INBOX", "/private/a"), "1");
	assert_int_equal(t->reports, 1);
	assert_non_null(strstr(t->last_report, "2 lines"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(notes_are_kept_replaced_and_removed, account_setup,
						account_teardown),
		cmocka_unit_test_setup_teardown(notes_move_and_end_with_their_mailbox,
						account_setup, account_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_noted_changes_nothing, account_setup,
						account_teardown),
		cmocka_unit_test_setup_teardown(damaged_lines_are_reported_and_left_out,
						account_setup, account_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
