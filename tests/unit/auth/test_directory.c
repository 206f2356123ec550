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

static void managed_domains_send_to_the_relay_host_unless_the_map_says_otherwise(void **state)
{
	struct config_dir *c = *state;
	static const struct {
		struct str sender, nexthop;
	} cases[] = {
		{ STR_INIT("a@ONE.test"), STR_INIT("[relay]:26") },
		{ STR_INIT("nobody@two.test"), STR_INIT("[relay]:26") },
		{ STR_INIT("a@three.test"), STR_INIT("other:587") },
		{ STR_INIT("a@four.test"), STR_INIT("") },
		{ STR_INIT("a@elsewhere.test"), STR_INIT("") },
		{ STR_INIT(""), STR_INIT("") },
	};

	config_dir_write(c, "postfix-accounts.cf",
			 "a@one.test|{PLAIN}x\na@three.test|{PLAIN}x\na@four.test|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@two.test a@one.test\n");
	config_dir_write(c, "postfix-relaymap.cf", "@three.test other:587\n@four.test\n");
	c->config.relay_host = STR("[relay]:26");
	struct directory *d = directory_load(&c->config, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (!str_eq(directory_relay(d, cases[i].sender), cases[i].nexthop))
			fail_msg("%s", cases[i].sender.p);
	directory_free(d);
}

static void a_login_is_for_the_relay_of_its_sender_only(void **state)
{
	struct config_dir *c = *state;
	static const struct {
		struct str sender, nexthop, user;
	} cases[] = {
		{ STR_INIT("a@one.test"), STR_INIT("[relay]:26"), STR_INIT("one") },
		{ STR_INIT("A@One.Test"), STR_INIT("[relay]:26"), STR_INIT("one") },
		{ STR_INIT("b@three.test"), STR_INIT("other:587"), STR_INIT("three") },
		/* Whoever gets the mail of one.test does not get its password. */
		{ STR_INIT("a@one.test"), STR_INIT("recipient.example"), STR_INIT("none") },
		{ STR_INIT("b@three.test"), STR_INIT("[relay]:26"), STR_INIT("env") },
		{ STR_INIT("a@one.test"), STR_INIT("hop:25"), STR_INIT("hop") },
		{ STR_INIT(""), STR_INIT("[relay]:26"), STR_INIT("env") },
		{ STR_INIT(""), STR_INIT(""), STR_INIT("none") },
	};

	config_dir_write(c, "postfix-accounts.cf", "a@one.test|{PLAIN}x\na@three.test|{PLAIN}x\n");
	config_dir_write(c, "postfix-relaymap.cf", "@three.test other:587\n");
	config_dir_write(c, "postfix-sasl-password.cf",
			 "@one.test one:p\nb@three.test three:p\nhop:25 hop:p\n");
	c->config.relay_host = STR("[relay]:26");
	c->config.relay_user = STR("env");
	c->config.relay_password = STR("p");
	struct directory *d = directory_load(&c->config, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str user = STR("none"), password;
		(void)directory_relay_login(d, cases[i].sender, cases[i].nexthop, &user, &password);
		if (!str_eq(user, cases[i].user))
			fail_msg("%zu: %.*s", i, (int)user.n, user.p);
	}
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
			 "d@t|{PLAIN}x\n"
			 "e@t|{PLAIN}x|userdb_quota_rule=*:storage=100\n"
			 "f@t|{PLAIN}x|userdb_quota_rule=*:storage=1G:messages=5\n"
			 "g@t|{PLAIN}x|userdb_quota_rule=Trash:storage=1G\n"
			 "h@t|{PLAIN}x|userdb_quota_rule=*:messages=5:bytes=100\n");
	config_dir_write(c, "dovecot-quotas.cf", "a@t:1k\nd@t:0\n");
	c->config.default_quota = 7;
	struct directory *d = directory_load(&c->config, NULL, NULL);

	assert_int_equal(directory_quota(d, directory_find_account(d, STR("a@t"))), 1024);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("b@t"))), 3 << 20);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("c@t"))), 7);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("d@t"))), 0);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("e@t"))), 100 << 10);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("f@t"))), 1 << 30);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("g@t"))), 7);
	assert_int_equal(directory_quota(d, directory_find_account(d, STR("h@t"))), 100);
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
	config_dir_write(c, "postfix-virtual.cf", "x@t a@t\n");
	config_dir_write(c, "dovecot-masters.cf", "admin|{PLAIN}x\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	config_dir_remove(c, "postfix-virtual.cf");
	config_dir_remove(c, "dovecot-masters.cf");
	struct directory *two = directory_load(&c->config, one, NULL);

	assert_non_null(aliases_find(one->virtual, STR("x@t")));
	assert_null(aliases_find(two->virtual, STR("x@t")));
	assert_null(directory_find_master(two, STR("admin")));
	directory_free(one);
	directory_free(two);
}

static void without_the_accounts_file_nothing_changes(void **state)
{
	struct config_dir *c = *state;
	struct report_recorder seen = { 0 };
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@t a@t\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	config_dir_remove(c, "postfix-accounts.cf");
	config_dir_remove(c, "postfix-virtual.cf");
	struct directory *two = directory_load(&c->config, one, REPORT_TO(&seen));
	directory_free(one);
	struct directory *three = directory_load(&c->config, two, NULL);
	directory_free(two);

	assert_non_null(directory_find_account(three, STR("a@t")));
	assert_non_null(aliases_find(three->virtual, STR("x@t")));
	assert_int_equal(seen.count, 2);
	directory_free(three);
}

static void what_a_broken_line_said_before_stays(void **state)
{
	struct config_dir *c = *state;
	static struct report_recorder seen; /* large for a stack */
	uint64_t bytes = 0;
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\nb@t|{PLAIN}x\nc@t|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@t a@t\ny@t b@t\n");
	config_dir_write(c, "dovecot-quotas.cf", "a@t:1k\n");
	config_dir_write(c, "postfix-send-access.cf", "b@t REJECT\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);

	config_dir_write(c, "postfix-accounts.cf", "A@t{PLAIN}y\nb@t {PLAIN}x\nnew@t|{PLAIN}x\n");
	config_dir_write(c, "postfix-virtual.cf", "x@t\nz@t b@t\n");
	config_dir_write(c, "dovecot-quotas.cf", "a@t:lots\n");
	config_dir_write(c, "postfix-send-access.cf", "b@t REJCT\n");
	struct directory *two = directory_load(&c->config, one, REPORT_TO(&seen));
	directory_free(one);

	const struct account *a = directory_find_account(two, STR("a@t"));
	assert_non_null(a);
	assert_true(str_eq(a->hash, STR("{PLAIN}x")));
	assert_non_null(directory_find_account(two, STR("b@t")));
	assert_non_null(directory_find_account(two, STR("new@t")));
	assert_null(directory_find_account(two, STR("c@t")));
	assert_non_null(aliases_find(two->virtual, STR("x@t")));
	assert_non_null(aliases_find(two->virtual, STR("z@t")));
	assert_null(aliases_find(two->virtual, STR("y@t")));
	assert_true(quotas_find(two->quotas, STR("a@t"), &bytes));
	assert_int_equal(bytes, 1024);
	assert_non_null(directory_check_sender(two, STR("b@t")));
	assert_string_equal(seen.text,
			    "postfix-accounts.cf:1: no '|' after the name; a@t stays as it was\n"
			    "postfix-accounts.cf:2: no '|' after the name; b@t stays as it was\n"
			    "postfix-virtual.cf:1: an alias without target; x@t stays as it was\n"
			    "dovecot-quotas.cf:1: not user@domain:size with the unit B, k, M, G or "
			    "T; a@t stays "
			    "as it was\n"
			    "postfix-send-access.cf:1: the action is not REJECT, OK, DUNNO or "
			    "4xx/5xx text; b@t "
			    "stays as it was");
	directory_free(two);
}

static void a_good_line_counts_more_than_a_broken_one(void **state)
{
	struct config_dir *c = *state;
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}old\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	config_dir_write(c, "postfix-accounts.cf", "a@t{PLAIN}new\na@t|{PLAIN}new\n");
	struct directory *two = directory_load(&c->config, one, NULL);

	assert_true(str_eq(directory_find_account(two, STR("a@t"))->hash, STR("{PLAIN}new")));
	directory_free(one);
	directory_free(two);
}

/* Their order matters, so there is no keeping one of them. */
static void patterns_stay_as_they_were_when_one_is_broken(void **state)
{
	struct config_dir *c = *state;
	auto_arena struct arena a = ARENA_INIT;
	struct report_recorder seen = { 0 };
	struct str result;
	config_dir_write(c, "postfix-regexp.cf", "/^a/ one@t\n/^b/ two@t\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	config_dir_write(c, "postfix-regexp.cf", "/^a( one@t\n/^b/ three@t\n");
	struct directory *two = directory_load(&c->config, one, REPORT_TO(&seen));
	directory_free(one);

	assert_int_equal(regexp_aliases_find(two->regexp, STR("a@t"), &a, &result, NULL), 1);
	assert_int_equal(regexp_aliases_find(two->regexp, STR("b@t"), &a, &result, NULL), 1);
	assert_true(str_eq(result, STR("two@t")));
	assert_int_equal(seen.count, 2);
	directory_free(two);

	struct directory *fresh = directory_load(&c->config, NULL, NULL);
	assert_int_equal(regexp_aliases_find(fresh->regexp, STR("b@t"), &a, &result, NULL), 1);
	assert_true(str_eq(result, STR("three@t")));
	directory_free(fresh);
}

static void a_file_of_another_format_changes_nothing(void **state)
{
	struct config_dir *c = *state;
	struct report_recorder seen = { 0 };
	char path[256];
	config_dir_write(c, "postfix-accounts.cf", "a@t|{PLAIN}x\nb@t|{PLAIN}x\n");
	struct directory *one = directory_load(&c->config, NULL, NULL);
	snprintf(path, sizeof(path), "%s/postfix-accounts.cf", c->path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 5000; i++)
		fprintf(f, "%u;x@t\n", i);
	fclose(f);
	struct directory *two = directory_load(&c->config, one, REPORT_TO(&seen));
	directory_free(one);

	assert_non_null(directory_find_account(two, STR("a@t")));
	assert_true(seen.count < 2000);
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
		cmocka_unit_test_setup_teardown(
			managed_domains_send_to_the_relay_host_unless_the_map_says_otherwise, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_login_is_for_the_relay_of_its_sender_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(logins_are_accounts_in_any_case_and_no_aliases,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			quotas_come_from_their_file_then_the_account_then_the_default, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_cannot_be_read_keeps_its_last_good_state, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_file_is_empty_from_then_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_the_accounts_file_nothing_changes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_a_broken_line_said_before_stays, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_good_line_counts_more_than_a_broken_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(patterns_stay_as_they_were_when_one_is_broken,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_of_another_format_changes_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			senders_are_owned_directly_and_not_by_extension_or_catch_all, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_hundred_thousand_accounts_load_and_are_found,
						setup, teardown),
	};
	return cmocka_run_group_tests_name("auth/directory", tests, NULL, NULL);
}
