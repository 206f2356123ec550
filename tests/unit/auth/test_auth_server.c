#include "../core/fixture.h"

#include <errno.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/auth_ipc.h"
#include "auth/auth_server.h"
#include "base/err.h"

#include "config_dir.h"

#define ACCOUNTS                                                                                   \
	"alice@t.test|{PLAIN}secret\n"                                                             \
	"bob@t.test|{PLAIN}hidden|userdb_quota_rule=*:bytes=1M allow_nets=192.0.2.0/24\n"          \
	"off@t.test|{PLAIN}secret|nologin\n"                                                       \
	"broken@t.test|{NOSUCH}x\n"                                                                \
	"carol@xn--b-eha.test|{PLAIN}x\n"                                                          \
	"dave@m\xc3\xbc.test|{PLAIN}x\n"

#define FAILURE_MS 1500

static struct config_dir files;

static int server_setup(void **state)
{
	loop_setup(state);
	config_dir_init(&files);
	config_dir_write(&files, "postfix-accounts.cf", ACCOUNTS);
	config_dir_write(&files, "dovecot-masters.cf", "admin|{PLAIN}root\n");
	config_dir_write(&files, "postfix-virtual.cf",
			 "info@t.test alice@t.test,gone@t.test\nloop@t.test loop2@t.test\n"
			 "loop2@t.test loop@t.test\n");
	config_dir_write(&files, "postfix-send-access.cf", "mallory@far.net 550 5.7.1 no\n");
	auth_server_open(&(struct auth_server_config){ .directory = files.config,
						       .failure_delay = FAILURE_MS });
	return 0;
}

static int server_teardown(void **state)
{
	auth_server_close();
	config_dir_done(&files);
	return loop_teardown(state);
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

/* A login as the front asks for it; the password is a copy, since the server wipes it. */
struct login_case {
	const char *authzid, *user, *password, *client;
	int result;
	const char *account;
};

static int login(const struct login_case *c, struct arena *a, struct auth_login_out *out)
{
	struct auth_login_in in = {
		.protocol = STR("imap"),
		.method = STR("PLAIN"),
		.authzid = str_from(c->authzid),
		.user = str_from(c->user),
		.password = arena_str(a, str_from(c->password)),
		.client_address = str_from(c->client ? c->client : "198.51.100.1"),
		.session = STR("s"),
	};
	struct err err;
	return auth_server_ops.login(NULL, &in, a, out, &err);
}

static void try_logins(void *unused)
{
	static const struct login_case cases[] = {
		{ "", "alice@t.test", "secret", NULL, 0, "alice@t.test" },
		{ "", "Alice@T.test", "secret", NULL, 0, "alice@t.test" },
		{ "ALICE@t.test", "alice@t.test", "secret", NULL, 0, "alice@t.test" },
		{ "", "alice@t.test", "Secret", NULL, -EACCES, NULL },
		{ "", "nobody@t.test", "secret", NULL, -EACCES, NULL },
		{ "", "info@t.test", "secret", NULL, -EACCES, NULL },
		{ "", "", "secret", NULL, -EACCES, NULL },
		{ "", "alice@t.test*admin", "root", NULL, 0, "alice@t.test" },
		{ "alice@t.test", "admin", "root", NULL, 0, "alice@t.test" },
		{ "", "admin", "root", NULL, -EACCES, NULL },
		{ "", "alice@t.test*admin", "secret", NULL, -EACCES, NULL },
		{ "", "nobody@t.test*admin", "root", NULL, -EACCES, NULL },
		{ "", "alice@t.test*nobody", "root", NULL, -EACCES, NULL },
		{ "bob@t.test", "alice@t.test", "secret", NULL, -EACCES, NULL },
		{ "", "bob@t.test", "hidden", "192.0.2.7", 0, "bob@t.test" },
		{ "", "bob@t.test", "hidden", "198.51.100.1", -EACCES, NULL },
		{ "", "off@t.test", "secret", NULL, -EACCES, NULL },
		{ "", "broken@t.test", "x", NULL, -EACCES, NULL },
	};
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct auth_login_out out = { 0 };
		int64_t begun = loop_now();
		int r = login(&cases[i], &a, &out);
		if (r != cases[i].result)
			fail_msg("%s as %s: %d", cases[i].user, cases[i].authzid, r);
		if (r == 0)
			assert_true(str_eq(out.account, str_from(cases[i].account)));
		assert_int_equal(loop_now() - begun, r == 0 ? 0 : FAILURE_MS);
	}
}

static void logins_need_the_password_of_the_account_or_of_a_master(void **state)
{
	(void)state;
	run_in_fiber(try_logins, NULL);
}

static void guess(void *unused)
{
	static const struct login_case wrong = { "", "alice@t.test", "x", NULL, 0, NULL };
	static const struct login_case right = { "", "alice@t.test", "secret", NULL, 0, NULL };
	struct auth_login_out out;
	(void)unused;

	auto_arena struct arena a = ARENA_INIT;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(login(&wrong, &a, &out), -EACCES);
	int64_t begun = loop_now();
	assert_int_equal(login(&wrong, &a, &out), -EACCES);
	assert_int_equal(loop_now() - begun, 2000 + FAILURE_MS);

	/* The pause lies before the check: the right password has to wait as well. */
	begun = loop_now();
	assert_int_equal(login(&right, &a, &out), 0);
	assert_int_equal(loop_now() - begun, 4000);
	for (unsigned i = 0; i < 13; i++)
		assert_int_equal(login(&wrong, &a, &out), -EACCES);
	begun = loop_now();
	assert_int_equal(login(&right, &a, &out), 0);
	assert_int_equal(loop_now() - begun, 0);
}

static void guesses_wait_longer_and_longer_but_known_logins_do_not(void **state)
{
	(void)state;
	run_in_fiber(guess, NULL);
}

struct guesser {
	struct group g;
	unsigned done;
};

static void guess_once(void *arg)
{
	static const struct login_case wrong = { "", "alice@t.test", "x", NULL, 0, NULL };
	auto_arena struct arena a = ARENA_INIT;
	struct auth_login_out out;
	struct guesser *all = arg;

	assert_int_equal(login(&wrong, &a, &out), -EACCES);
	all->done++;
}

static void guess_in_parallel(void *unused)
{
	struct guesser all = { .done = 0 };
	(void)unused;

	group_init(&all.g);
	int64_t begun = loop_now();
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(fiber_spawn(&all.g, "guess", guess_once, &all), 0);
	while (all.done < 20)
		assert_int_equal(fiber_sleep(100), 0);
	assert_true(loop_now() - begun >= 15000 + FAILURE_MS);
	group_done(&all.g);
}

static void many_guesses_at_once_gain_nothing(void **state)
{
	(void)state;
	run_in_fiber(guess_in_parallel, NULL);
}

static void ask_about_addresses(void *unused)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_resolve_in in = { .address = STR("info@t.test") };
	struct auth_resolve_out out = { 0 };
	struct err err;
	(void)unused;

	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.verdict, AUTH_OK);
	assert_int_equal(out.targets_count, 1);
	assert_true(str_eq(out.targets[0].account, STR("alice@t.test")));
	assert_int_equal(out.missing_count, 1);
	assert_true(str_eq(out.missing[0].address, STR("gone@t.test")));

	in.address = STR("loop@t.test");
	out = (struct auth_resolve_out){ 0 };
	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.verdict, AUTH_ALIAS_ERROR);
	assert_int_equal(out.targets_count, 0);

	in = (struct auth_resolve_in){ STR("alice@t.test"), STR("mallory@far.net"), STR_NONE };
	out = (struct auth_resolve_out){ 0 };
	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.verdict, AUTH_OK);
	assert_true(out.sender_denied);
	assert_int_equal(out.sender_code, 550);
	assert_true(str_eq(out.sender_text, STR("5.7.1 no")));
	assert_false(out.sender_owned);

	in = (struct auth_resolve_in){ STR("far@far.net"), STR("info@t.test"),
				       STR("alice@t.test") };
	out = (struct auth_resolve_out){ 0 };
	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_false(out.sender_denied);
	assert_true(out.sender_owned);
}

static void ask_in_both_forms(void *unused)
{
	static const struct {
		const char *address, *account;
	} cases[] = {
		{ "carol@xn--b-eha.test", "carol@xn--b-eha.test" },
		{ "carol@b\xc3\xbc.test", "carol@xn--b-eha.test" },
		{ "dave@m\xc3\xbc.test", "dave@m\xc3\xbc.test" },
		{ "dave@xn--m-eha.test", "dave@m\xc3\xbc.test" },
	};
	struct auth_resolve_in in = { .address = STR("carol@m\xc3\xb6.test") };
	auto_arena struct arena a = ARENA_INIT;
	struct auth_resolve_out out = { 0 };
	struct err err;
	(void)unused;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		in = (struct auth_resolve_in){ .address = str_from(cases[i].address),
					       .sender = str_from(cases[i].address),
					       .login = str_from(cases[i].account) };
		out = (struct auth_resolve_out){ 0 };
		assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
		assert_int_equal(out.verdict, AUTH_OK);
		assert_true(str_eq(out.targets[0].account, str_from(cases[i].account)));
		assert_true(out.sender_owned);
	}
	in.address = STR("nobody@b\xc3\xbc.test");
	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.verdict, AUTH_UNKNOWN_USER);
	in.address = STR("carol@m\xc3\xb6.test");
	assert_int_equal(auth_server_ops.resolve(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.verdict, AUTH_NOT_OURS);
}

static void a_domain_is_ours_in_both_forms(void **state)
{
	(void)state;
	run_in_fiber(ask_in_both_forms, NULL);
}

static void ask_about_authors(void *unused)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_author authors[] = { { STR("Alice@t.test") },
					 { STR("info@t.test") },
					 { STR("bob@t.test") },
					 { STR("far@far.net") } };
	struct auth_owns_in in = { STR("alice@t.test"), authors, 2 };
	struct auth_owns_out out = { 0 };
	struct err err;
	(void)unused;

	assert_int_equal(auth_server_ops.owns(NULL, &in, &a, &out, &err), 0);
	assert_int_equal(out.stranger.n, 0);
	in.authors_count = ARRAY_LEN(authors);
	assert_int_equal(auth_server_ops.owns(NULL, &in, &a, &out, &err), 0);
	assert_true(str_eq(out.stranger, STR("bob@t.test")));
}

static void authors_are_those_of_the_login(void **state)
{
	(void)state;
	run_in_fiber(ask_about_authors, NULL);
}

static void recipients_and_senders_are_judged(void **state)
{
	(void)state;
	run_in_fiber(ask_about_addresses, NULL);
}

static void ask_about_accounts(void *unused)
{
	auto_arena struct arena a = ARENA_INIT;
	struct auth_account_in in = { .account = STR("Bob@t.test") };
	struct auth_account_out out;
	struct auth_status_in status_in = { 0 };
	struct auth_status_out status;
	(void)unused;

	assert_int_equal(auth_server_ops.account(NULL, &in, &a, &out, NULL), 0);
	assert_true(out.exists);
	assert_int_equal(out.quota, 1048576);
	in.account = STR("info@t.test");
	assert_int_equal(auth_server_ops.account(NULL, &in, &a, &out, NULL), 0);
	assert_false(out.exists);
	assert_int_equal(auth_server_ops.status(NULL, &status_in, &a, &status, NULL), 0);
	assert_int_equal(status.accounts, 6);
	assert_int_equal(status.aliases, 3);
}

static void accounts_have_limits(void **state)
{
	(void)state;
	run_in_fiber(ask_about_accounts, NULL);
}

static void change_password(void *unused)
{
	static const struct login_case old = { "", "alice@t.test", "secret", NULL, 0, NULL };
	static const struct login_case new = { "", "alice@t.test", "other", NULL, 0, NULL };
	auto_arena struct arena a = ARENA_INIT;
	struct auth_login_out out;
	(void)unused;

	assert_int_equal(login(&old, &a, &out), 0);
	config_dir_write(&files, "postfix-accounts.cf", "alice@t.test|{PLAIN}other\n");
	assert_int_equal(login(&old, &a, &out), 0);
	assert_int_equal(auth_server_reload(), 0);
	assert_int_equal(login(&old, &a, &out), -EACCES);
	assert_int_equal(login(&new, &a, &out), 0);
}

static void a_reload_ends_the_old_password_at_once(void **state)
{
	(void)state;
	run_in_fiber(change_password, NULL);
}

static void reload_once(void *arg)
{
	struct guesser *all = arg;
	assert_int_equal(auth_server_reload(), 0);
	all->done++;
}

static void reload_in_parallel(void *unused)
{
	static const struct login_case right = { "", "alice@t.test", "secret", NULL, 0, NULL };
	auto_arena struct arena a = ARENA_INIT;
	struct auth_login_out out;
	struct guesser all = { .done = 0 };
	(void)unused;

	group_init(&all.g);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(fiber_spawn(&all.g, "reload", reload_once, &all), 0);
	while (all.done < 20) {
		assert_int_equal(login(&right, &a, &out), 0);
		assert_int_equal(fiber_yield(), 0); /* a cached login waits for nobody */
	}
	group_done(&all.g);
}

static void reloads_at_the_same_time_are_one(void **state)
{
	(void)state;
	run_in_fiber(reload_in_parallel, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(logins_need_the_password_of_the_account_or_of_a_master),
		server_test(guesses_wait_longer_and_longer_but_known_logins_do_not),
		server_test(many_guesses_at_once_gain_nothing),
		server_test(recipients_and_senders_are_judged),
		server_test(authors_are_those_of_the_login),
		server_test(a_domain_is_ours_in_both_forms),
		server_test(accounts_have_limits),
		server_test(a_reload_ends_the_old_password_at_once),
		server_test(reloads_at_the_same_time_are_one),
	};
	return cmocka_run_group_tests_name("auth/auth_server", tests, NULL, NULL);
}
