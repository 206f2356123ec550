/* Rights on mailboxes, in Dovecot's files. */
#include <errno.h>

#include "account.h"
#include "store/maildir/acl_file.h"

static void assert_rights(uint32_t rights, const char *letters)
{
	char text[40];
	struct buf b = { .p = text, .cap = sizeof(text), .max = sizeof(text) };

	store_rights_write(&b, rights);
	assert_int_equal(b.n, strlen(letters));
	assert_memory_equal(text, letters, b.n);
}

static uint32_t rights_of(struct account *t, const char *box, const char *user)
{
	struct store_acl acl;

	assert_int_equal(store_acl_read(t->store, str_from(box), &t->a, &acl, &t->err), 0);
	return store_acl_rights(&acl, str_from(user));
}

static int change(struct account *t, enum store_acl_op op, const char *id, const char *letters)
{
	struct store_acl_change c = { .op = op, .entry = { .id = str_from(id) } };

	assert_true(store_rights_parse(str_from(letters), &c.entry.rights));
	return store_acl_change(t->store, STR("INBOX"), &c, &t->err);
}

static void rights_are_letters(void **state)
{
	uint32_t rights;

	(void)state;
	assert_true(store_rights_parse(STR("axeprwl"), &rights));
	assert_rights(rights, "lrwpexa");
	assert_true(store_rights_parse(STR("c"), &rights));
	assert_rights(rights, "kx");
	assert_true(store_rights_parse(STR("d"), &rights));
	assert_rights(rights, "tex");
	assert_false(store_rights_parse(STR("lq"), &rights));
}

static void dovecots_files_are_read_and_wrong_lines_allow_nothing(void **state)
{
	struct account *t = *state;
	struct store_acl acl;
	struct buf b;

	assert_int_equal(acl_file_parse(STR("# rights\nuser=bob@example.org lrs\nanyone l\n"
					    "\"group=a b\" :lookup read write-seen\n-anyone w\n"
					    "user=x lq\nuser=y :fly\n\nowner lr:expunge\n"),
					&t->a, &acl),
			 2);
	assert_int_equal(acl.n, 5);
	assert_rights(acl.v[2].rights, "lrs");
	assert_true(acl.v[3].negative);
	assert_rights(acl.v[4].rights, "lre");
	buf_init(&b, &t->a, 1000);
	acl_file_write(&b, &acl);
	assert_true(str_eq(buf_str(&b), STR("user=bob@example.org lrs\nanyone l\n"
					    "\"group=a b\" lrs\n-anyone w\nowner lre\n")));
}

static void the_most_particular_identifier_counts(void **state)
{
	struct account *t = *state;

	account_write_file(t, "dovecot-acl",
			   "anyone lr\nauthenticated lrs\nuser=bob@x l\n"
			   "-user=carol@x r\n-anyone w\nuser=dave@x lrw\n");
	assert_rights(rights_of(t, "INBOX", "bob@x"), "l");
	assert_rights(rights_of(t, "INBOX", "BOB@X"), "l");
	assert_rights(rights_of(t, "INBOX", "carol@x"), "ls");
	assert_rights(rights_of(t, "INBOX", "dave@x"), "lr");
	assert_rights(rights_of(t, "INBOX", "erin@x"), "lrs");
}

static void rights_are_given_changed_and_taken(void **state)
{
	struct account *t = *state;
	struct store_acl acl;

	assert_rights(rights_of(t, "INBOX", "bob@x"), "");
	assert_int_equal(change(t, STORE_ACL_SET, "user=bob@x", "lr"), 0);
	assert_int_equal(change(t, STORE_ACL_ADD, "user=bob@x", "s"), 0);
	assert_rights(rights_of(t, "INBOX", "bob@x"), "lrs");
	assert_int_equal(change(t, STORE_ACL_REMOVE, "user=bob@x", "r"), 0);
	assert_rights(rights_of(t, "INBOX", "bob@x"), "ls");
	assert_int_equal(change(t, STORE_ACL_DELETE, "user=bob@x", ""), 0);
	assert_int_equal(change(t, STORE_ACL_DELETE, "user=none@x", ""), 0);
	assert_rights(rights_of(t, "INBOX", "bob@x"), "");
	assert_int_equal(store_acl_read(t->store, STR("none"), &t->a, &acl, &t->err), -ENOENT);
}

static void owners_are_found_by_whom_they_share_with(void **state)
{
	struct account *t = *state;
	struct str dir = str_from(t->root), ids[] = { STR("user=bob@x"), STR("anyone") };
	struct store_shares found;

	assert_int_equal(store_shares_of(dir, STR("bob@x"), &t->a, &found, &t->err), 0);
	assert_int_equal(found.n, 0);
	assert_int_equal(store_shares_set(dir, STR("alice@x"), ids, 1, &t->err), 0);
	assert_int_equal(store_shares_set(dir, STR("carol@x"), ids, 2, &t->err), 0);
	assert_int_equal(store_shares_of(dir, STR("bob@x"), &t->a, &found, &t->err), 0);
	assert_int_equal(found.n, 2);
	assert_int_equal(store_shares_of(dir, STR("erin@x"), &t->a, &found, &t->err), 0);
	assert_int_equal(found.n, 1);
	assert_true(str_eq(found.owners[0], STR("carol@x")));
	assert_int_equal(store_shares_set(dir, STR("carol@x"), NULL, 0, &t->err), 0);
	assert_int_equal(store_shares_of(dir, STR("erin@x"), &t->a, &found, &t->err), 0);
	assert_int_equal(found.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, account_setup, account_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rights_are_letters),
		TEST(dovecots_files_are_read_and_wrong_lines_allow_nothing),
		TEST(the_most_particular_identifier_counts),
		TEST(rights_are_given_changed_and_taken),
		TEST(owners_are_found_by_whom_they_share_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
