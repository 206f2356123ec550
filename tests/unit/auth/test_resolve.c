#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "auth/directory.h"
#include "auth/resolve.h"
#include "base/buf.h"

#include "config_dir.h"

static const char accounts[] = "alice@t.test|{PLAIN}x\n"
			       "bob@t.test|{PLAIN}x\n"
			       "carol@caught.test|{PLAIN}x\n"
			       "dave@caught.test|{PLAIN}x\n";
static const char aliases[] = "info@t.test alice@t.test\n"
			      "team@t.test alice@t.test,bob@t.test, x@far.net\n"
			      "nested@t.test team@t.test,info@t.test\n"
			      "copy@t.test copy@t.test,alice@t.test\n"
			      "bob@t.test bob@t.test,archive@far.net\n"
			      "@caught.test alice@t.test\n"
			      "carol@caught.test carol@caught.test\n"
			      "@moved.test @t.test\n"
			      "loop1@t.test loop2@t.test\n"
			      "loop2@t.test loop1@t.test\n"
			      "ring@t.test ring2@t.test,alice@t.test\n"
			      "ring2@t.test ring@t.test\n"
			      "grow@t.test grow2+x@t.test\n"
			      "grow2@t.test grow+y@t.test\n"
			      "exact+ext@t.test x@far.net\n"
			      "helpdesk alice@t.test\n"
			      "trash@t.test devnull\n"
			      "stale@t.test gone@t.test\n"
			      "half@t.test gone@t.test,alice@t.test\n"
			      "\"quoted one\"@t.test alice@t.test\n"
			      "many@t.test many0@t.test,many1@t.test,many2@t.test,many3@t.test\n";

/* Each line is as long as it may be; all together they do not fit into an answer. */
static void write_aliases(struct config_dir *c)
{
	auto_buf struct buf text;

	buf_init(&text, NULL, 1 << 20);
	buf_puts(&text, aliases);
	for (int i = 0; i < 4; i++) {
		buf_printf(&text, "many%d@t.test ", i);
		for (int j = 0; j < 240; j++)
			buf_printf(&text, "%d.%d.%0200d@far.net,", i, j, 0);
		buf_puts(&text, "alice@t.test\n");
	}
	config_dir_write(c, "postfix-virtual.cf", buf_cstr(&text));
}

static int setup(void **state)
{
	static struct config_dir c;
	config_dir_init(&c);
	config_dir_write(&c, "postfix-accounts.cf", accounts);
	write_aliases(&c);
	config_dir_write(&c, "postfix-regexp.cf",
			 "/^sales-(.*)@t\\.test$/ ${1}@t.test\n/^special@caught/ bob@t.test\n");
	config_dir_write(&c, "postfix-aliases.cf", "devnull: /dev/null\nops: alice@t.test\n");
	config_dir_write(&c, "postfix-receive-access.cf",
			 "denied@t.test REJECT\nlater@t.test 451 4.7.1 not now\n");
	*state = directory_load(&c.config, NULL, NULL);
	config_dir_done(&c);
	return 0;
}

static int teardown(void **state)
{
	directory_free(*state);
	return 0;
}

static const char *kind_name(enum auth_target_kind kind)
{
	static const char *const names[] = {
		[AUTH_TARGET_MAILBOX] = "box",
		[AUTH_TARGET_REMOTE] = "remote",
		[AUTH_TARGET_DISCARD] = "discard",
		[AUTH_TARGET_UNKNOWN] = "unknown",
	};
	return names[kind];
}

/* "box:alice+x@t.test=alice@t.test remote:x@far.net" */
static const char *describe(const struct resolution *r, struct arena *a)
{
	struct buf out;
	buf_init(&out, a, 65536);
	for (size_t i = 0; i < r->count; i++) {
		buf_printf(&out, "%s%s:%.*s", i ? " " : "", kind_name(r->targets[i].kind),
			   STR_ARG(r->targets[i].address));
		if (r->targets[i].user.n)
			buf_printf(&out, "=%.*s", STR_ARG(r->targets[i].user));
	}
	return buf_cstr(&out);
}

static void addresses_lead_to_their_targets(void **state)
{
	static const struct {
		const char *address;
		enum auth_verdict verdict;
		const char *targets;
	} cases[] = {
		{ "alice@t.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "Alice@T.test", AUTH_OK, "box:Alice@T.test=alice@t.test" },
		{ "\"alice\"@t.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "alice+Tag@t.test", AUTH_OK, "box:alice+Tag@t.test=alice@t.test" },
		{ "nobody@t.test", AUTH_UNKNOWN_USER, NULL },
		{ "x@far.net", AUTH_NOT_OURS, "remote:x@far.net" },
		{ "info@t.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "info+Tag@t.test", AUTH_OK, "box:alice+Tag@t.test=alice@t.test" },
		{ "team@t.test", AUTH_OK,
		  "box:alice@t.test=alice@t.test box:bob@t.test=bob@t.test "
		  "remote:x@far.net remote:archive@far.net" },
		{ "nested@t.test", AUTH_OK,
		  "box:alice@t.test=alice@t.test box:bob@t.test=bob@t.test "
		  "remote:x@far.net remote:archive@far.net" },
		{ "copy@t.test", AUTH_OK, "unknown:copy@t.test box:alice@t.test=alice@t.test" },
		{ "carol@caught.test", AUTH_OK, "box:carol@caught.test=carol@caught.test" },
		{ "carol+x@caught.test", AUTH_OK, "box:carol+x@caught.test=carol@caught.test" },
		{ "dave@caught.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "any+x@caught.test", AUTH_OK, "box:alice+x@t.test=alice@t.test" },
		{ "special@caught.test", AUTH_OK,
		  "box:bob@t.test=bob@t.test remote:archive@far.net" },
		{ "alice+x@moved.test", AUTH_OK, "box:alice+x@t.test=alice@t.test" },
		{ "nobody@moved.test", AUTH_UNKNOWN_USER, NULL },
		{ "loop1@t.test", AUTH_ALIAS_ERROR, NULL },
		{ "many@t.test", AUTH_ALIAS_ERROR, NULL },
		{ "ring@t.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "grow+z@t.test", AUTH_ALIAS_ERROR, NULL },
		{ "exact+ext@t.test", AUTH_OK, "remote:x@far.net" },
		{ "exact+other@t.test", AUTH_UNKNOWN_USER, NULL },
		{ "helpdesk@mail.example.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "helpdesk@t.test", AUTH_UNKNOWN_USER, NULL },
		{ "trash@t.test", AUTH_OK, "discard:devnull@mail.example.test" },
		{ "stale@t.test", AUTH_UNKNOWN_USER, NULL },
		{ "half@t.test", AUTH_OK, "unknown:gone@t.test box:alice@t.test=alice@t.test" },
		{ "\"quoted one\"@t.test", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "sales-bob@t.test", AUTH_OK, "box:bob@t.test=bob@t.test remote:archive@far.net" },
		{ "ops@localhost", AUTH_OK, "box:alice@t.test=alice@t.test" },
		{ "ops+x@localhost", AUTH_OK, "box:alice+x@t.test=alice@t.test" },
		{ "nobody@localhost", AUTH_UNKNOWN_USER, NULL },
		{ "root@localhost", AUTH_OK, "remote:postmaster@example.test" },
		{ "postmaster", AUTH_OK, "remote:postmaster@example.test" },
		{ "Postmaster@t.test", AUTH_OK, "remote:postmaster@example.test" },
		{ "mailer-daemon@t.test", AUTH_UNKNOWN_USER, "unknown:mailer-daemon@t.test" },
		{ "denied@t.test", AUTH_DENIED, NULL },
		{ "later+x@t.test", AUTH_DENIED, NULL },
		{ "", AUTH_UNKNOWN_USER, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct resolution r;
		directory_resolve(*state, str_from(cases[i].address), &a, &r, NULL);
		if (r.verdict != cases[i].verdict ||
		    (cases[i].targets && strcmp(describe(&r, &a), cases[i].targets) != 0))
			fail_msg("%s: %d %s", cases[i].address, r.verdict, describe(&r, &a));
	}
}

static void a_denied_address_carries_its_reply(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct resolution r;

	directory_resolve(*state, STR("later@t.test"), &a, &r, NULL);
	assert_int_equal(r.code, 451);
	assert_true(str_eq(r.text, STR("4.7.1 not now")));
}

static void a_list_of_more_than_the_limit_is_an_alias_error(void **state)
{
	(void)state;
	struct config_dir c;
	struct buf text;
	auto_arena struct arena a = ARENA_INIT;
	struct resolution r;

	config_dir_init(&c);
	buf_init(&text, &a, 1 << 20);
	for (unsigned list = 0; list < 2; list++) {
		buf_printf(&text, "list%u@t.test list1@t.test", list);
		for (unsigned i = 0; i < 600; i++)
			buf_printf(&text, ",u%u.%u@far.net", list, i);
		buf_puts(&text, "\n");
	}
	config_dir_write(&c, "postfix-virtual.cf", buf_cstr(&text));
	struct directory *d = directory_load(&c.config, NULL, NULL);
	config_dir_done(&c);
	assert_int_equal(directory_resolve(d, STR("list0@t.test"), &a, &r, NULL), AUTH_ALIAS_ERROR);
	assert_int_equal(directory_resolve(d, STR("list1@t.test"), &a, &r, NULL), AUTH_OK);
	assert_int_equal(r.count, 601);
	directory_free(d);
}

static void postmaster_is_accepted_even_when_nobody_reads_it(void **state)
{
	(void)state;
	struct config_dir c;
	auto_arena struct arena a = ARENA_INIT;
	struct resolution r;

	config_dir_init(&c);
	config_dir_write(&c, "postfix-accounts.cf", "alice@t.test|{PLAIN}x\n");
	c.config.postmaster = STR("postmaster@mail.example.test");
	struct directory *d = directory_load(&c.config, NULL, NULL);
	config_dir_done(&c);
	assert_int_equal(directory_resolve(d, STR("postmaster@t.test"), &a, &r, NULL), AUTH_OK);
	assert_int_equal(r.targets[0].kind, AUTH_TARGET_DISCARD);
	assert_int_equal(directory_resolve(d, STR("postmaster"), &a, &r, NULL), AUTH_OK);
	assert_int_equal(r.targets[0].kind, AUTH_TARGET_DISCARD);
	assert_int_equal(directory_resolve(d, STR("root@localhost"), &a, &r, NULL),
			 AUTH_UNKNOWN_USER);
	directory_free(d);
}

static void an_account_in_the_machines_own_domain_gets_its_mail(void **state)
{
	(void)state;
	struct config_dir c;
	auto_arena struct arena a = ARENA_INIT;
	struct resolution r;

	config_dir_init(&c);
	config_dir_write(&c, "postfix-accounts.cf", "a@mail.example.test|{PLAIN}x\n");
	struct directory *d = directory_load(&c.config, NULL, NULL);
	config_dir_done(&c);
	assert_int_equal(directory_resolve(d, STR("a@mail.example.test"), &a, &r, NULL), AUTH_OK);
	assert_int_equal(r.targets[0].kind, AUTH_TARGET_MAILBOX);
	assert_int_equal(directory_resolve(d, STR("b@mail.example.test"), &a, &r, NULL),
			 AUTH_UNKNOWN_USER);
	directory_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_lead_to_their_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_denied_address_carries_its_reply, setup,
						teardown),
		cmocka_unit_test(a_list_of_more_than_the_limit_is_an_alias_error),
		cmocka_unit_test(postmaster_is_accepted_even_when_nobody_reads_it),
		cmocka_unit_test(an_account_in_the_machines_own_domain_gets_its_mail),
	};
	return cmocka_run_group_tests_name("auth/resolve", tests, NULL, NULL);
}
