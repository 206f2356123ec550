#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "auth/directory.h"

#include "config_dir.h"
#include "report_recorder.h"

static int setup(void **state)
{
	static struct config_dir c;
	config_dir_init(&c);
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	config_dir_done(*state);
	return 0;
}

static void an_empty_directory_is_fine(void **state)
{
	struct config_dir *c = *state;
	struct report_recorder seen = { 0 };
	struct directory *d = directory_load(&c->config, NULL, REPORT_TO(&seen));

	assert_int_equal(seen.count, 0);
	assert_null(directory_find_account(d, STR("a@b")));
	assert_false(directory_is_managed(d, STR("b")));
	assert_true(directory_is_local(d, STR("Mail.example.test")));
	assert_true(directory_is_local(d, STR("localhost.example.test")));
	directory_free(d);
}

static void domains_of_accounts_and_alias_keys_are_managed(void **state)
{
	struct config_dir *c = *state;
	config_dir_write(c, "postfix-accounts.cf", "a@one.test|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf",
			 "x@two.test a@one.test\n@three.test a@four.test\n");
	struct directory *d = directory_load(&c->config, NULL, NULL);

	assert_true(directory_is_managed(d, STR("ONE.test")));
	assert_true(directory_is_managed(d, STR("two.test")));
	assert_true(directory_is_managed(d, STR("three.test")));
	assert_false(directory_is_managed(d, STR("four.test")));
	directory_free(d);
}

static void logins_are_accounts_in_any_case_and_no_aliases(void **state)
{
	struct config_dir *c = *state;
	config_dir_write(c, "postfix-accounts.cf", "a@one.test|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@one.test a@one.test\n");
	config_dir_write(c, "dovecot-masters.cf", "admin|{PLAIN}y\n");
	struct directory *d = directory_load(&c->config, NULL, NULL);

	assert_non_null(directory_find_account(d, STR("A@one.TEST")));
	assert_null(directory_find_account(d, STR("x@one.test")));
	assert_non_null(directory_find_master(d, STR("Admin")));
	directory_free(d);
}

static void quotas_come_from_their_file_then_the_account_then_the_default(void **state)
{
	struct config_dir *c = *state;
	config_dir_write(c, "postfix-accounts.cf",
			 "a@t|{PLAIN}x|userdb_quota_rule=*:bytes=2G\n"
			 "b@t|{PLAIN}x|userdb_quota_storage_size=3M\n"
			 "c@t|{PLAIN}x\n"
			 "d@t|{PLAIN}x\n");
	config_dir_write(c, "dovecot-quotas.cf", "a@t:1k\nd@t:0\n");
	c->config.default_quota = 7;
	struct directory *d = directory_load(&c->config, NULL, NULL);

	assert_int_equal(directory_quota(d, directory_find_account(d, STR("a@t"))), 1024);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("b@t"))), 3 << 20);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("c@t"))), 7);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("d@t"))), 0);
	directory_free(d);
}

static void a_file_that_cannot_be_read_keeps_its_last_good_state(void **state)
{
	struct config_dir *c = *state;
	struct report_recorder seen = { 0 };
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@t a@t\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);

	char path[256];
	snprintf(path, sizeof(path), "%s/postfix-accounts.cf", c->path);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* readable by nobody, not even root */
	config_dir_remove(c, "postfix-virtual.cf");
	struct directory *two = directory_load(&c->config, one, REPORT_TO(&seen));
	directory_free(one);

	assert_non_null(directory_find_account(two, STR("a@t")));
	assert_null(aliases_find(two->virtual, STR("x@t")));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last_line, 0);
	directory_free(two);
}

static void a_deleted_file_is_empty_from_then_on(void **state)
{
	struct config_dir *c = *state;
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	config_dir_remove(c, "postfix-accounts.cf");
	struct directory *two = directory_load(&c->config, one, NULL);

	assert_non_null(directory_find_account(one, STR("a@t")));
	assert_null(directory_find_account(two, STR("a@t")));
	directory_free(one);
	directory_free(two);
}

static void senders_are_owned_directly_and_not_by_extension_or_catch_all(void **state)
{
	struct config_dir *c = *state;
	static const struct {
		struct str sender;
		bool owned;
	} cases[] = {
		{ STR_INIT("A@t"), true },
		{ STR_INIT("alias@t"), true },
		{ STR_INIT("second@t"), false },
		{ STR_INIT("a+tag@t"), false },
		{ STR_INIT("any@catch"), false },
		{ STR_INIT("sales-x@t"), true },
		{ STR_INIT("info@localhost"), true },
		{ STR_INIT("b@t"), false },
	};
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\nb@t|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf",
			 "alias@t b@t,a@T\nsecond@t alias@t\n@catch a@t\n");
	config_dir_write(c, "postfix-regexp.cf", "/^sales-/ b@t,a@t\n");
	config_dir_write(c, "postfix-aliases.cf", "info: a@t\n");
	struct directory *d = directory_load(&c->config, NULL, NULL);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (directory_owns(d, STR("a@t"), cases[i].sender) != cases[i].owned)
			fail_msg("%s", cases[i].sender.p);
	directory_free(d);
}

static void a_hundred_thousand_accounts_load_and_are_found(void **state)
{
	struct config_dir *c = *state;
	char path[256];
	snprintf(path, sizeof(path), "%s/postfix-accounts.cf", c->path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 100000; i++)
		fprintf(f, "user%u@dom%u.test|{PLAIN}x\n", i, i % 100);
	fclose(f);

	struct directory *d = directory_load(&c->config, NULL, NULL);
	assert_int_equal(d->accounts->by_login.count, 100000);
	assert_int_equal(d->managed.count, 100);
	assert_non_null(directory_find_account(d, STR("user99999@dom99.test")));
	directory_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_directory_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(domains_of_accounts_and_alias_keys_are_managed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(logins_are_accounts_in_any_case_and_no_aliases,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			quotas_come_from_their_file_then_the_account_then_the_default, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_cannot_be_read_keeps_its_last_good_state, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_file_is_empty_from_then_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			senders_are_owned_directly_and_not_by_extension_or_catch_all, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_hundred_thousand_accounts_load_and_are_found,
						setup, teardown),
	};
	return cmocka_run_group_tests_name("auth/directory", tests, NULL, NULL);
}
