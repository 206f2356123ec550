#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/setting_value.h"
#include "core/settings.h"

#define NAMED "OVERRIDE_HOSTNAME=mail.example.test"

struct fixture {
	struct arena arena;
	struct settings s;
	struct err err;
	char reports[4096];
};

static void collect(void *ctx, enum settings_severity severity, const char *text)
{
	struct fixture *f = ctx;
	static const char letters[] = { 'E', 'W', 'I' };
	size_t n = strlen(f->reports);

	snprintf(f->reports + n, sizeof(f->reports) - n, "%c %s\n", letters[severity], text);
}

static int load(struct fixture *f, const char *const *env)
{
	struct settings_reporter r = { collect, f };

	f->reports[0] = '\0';
	return settings_load(env, &r, &f->arena, &f->s, &f->err);
}

#define LOAD(f, ...) load((f), (const char *const[]){ NAMED, __VA_ARGS__, NULL })

static int setup(void **state)
{
	static struct fixture f;
	memset(&f, 0, sizeof(f));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_done(&f->arena);
	return 0;
}

static void assert_str(struct str s, const char *expected)
{
	assert_string_equal(s.p, expected);
	assert_int_equal(s.n, strlen(expected));
}

static void an_empty_environment_gives_the_defaults(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "ENABLE_IMAP=", "LOG_LEVEL="), 0);
	assert_true(f->s.enable_imap);
	assert_false(f->s.enable_pop3);
	assert_true(f->s.enable_quotas);
	assert_int_equal(f->s.log_level, SETTING_LOG_LEVEL_INFO);
	assert_int_equal(f->s.message_size_limit, 10240000);
	assert_int_equal(f->s.imap_append_max, 10240000);
	assert_int_equal(f->s.config_poll, 2000);
	assert_int_equal(f->s.smtp_idle, 300000);
	assert_str(f->s.postmaster_address, "postmaster@example.test");
	assert_str(f->s.mail_dir, "/var/mail");
}

static void every_default_lies_between_its_bounds(void **state)
{
	/* settings_load checks it for each. */
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil"), 0);
	assert_string_equal(f->reports, "");
}

static void switches_are_on_only_when_numerically_one(void **state)
{
	static const struct {
		const char *text;
		bool on;
	} cases[] = {
		{ "1", true },	 { "01", true },   { " 1", true },
		{ "0", false },	 { "2", false },   { "true", false },
		{ "on", false }, { "yes", false }, { "-1", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(setting_switch_parse(str_from(cases[i].text)), cases[i].on);
}

static void a_word_in_a_switch_is_off_with_a_warning(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "ENABLE_IMAP=true"), 0);
	assert_false(f->s.enable_imap);
	assert_string_equal(f->reports, "W ENABLE_IMAP='true' means off: only 1 switches on\n");
}

static void numbers_carry_the_units_of_their_type(void **state)
{
	static const struct {
		enum setting_type type;
		const char *text;
		int result;
		int64_t value;
	} cases[] = {
		{ SETTING_INTEGER, "010", 0, 10 },
		{ SETTING_INTEGER, "1k", -EINVAL, 0 },
		{ SETTING_INTEGER, "", -EINVAL, 0 },
		{ SETTING_SIZE, "25M", 0, 25000000 },
		{ SETTING_SIZE, "64Ki", 0, 65536 },
		{ SETTING_SIZE, "9223372036854775807G", -ERANGE, 0 },
		{ SETTING_SIZE, "99999999999999999999", -ERANGE, 0 },
		{ SETTING_TIME, "2", 0, 2000 },
		{ SETTING_TIME, "250ms", 0, 250 },
		{ SETTING_TIME, "1d", 0, 86400000 },
		{ SETTING_TIME, "1w", -EINVAL, 0 },
		{ SETTING_TIME, "-1s", -EINVAL, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 0;
		struct str text = str_from(cases[i].text);
		assert_int_equal(setting_number_parse(cases[i].type, text, &v), cases[i].result);
		assert_int_equal(v, cases[i].value);
	}
}

static void a_value_that_cannot_be_used_leaves_the_default(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "LOG_LEVEL=loud", "TLS_LEVEL=old",
			      "POSTHORN_SMTP_ERRORS_MAX=0", "POSTHORN_LISTEN=::1\r\nX"),
			 0);
	assert_int_equal(f->s.log_level, SETTING_LOG_LEVEL_INFO);
	assert_int_equal(f->s.smtp_errors_max, 20);
	assert_str(f->s.listen, "");
	assert_string_equal(f->reports,
			    "W LOG_LEVEL='loud' is not understood: using the default 'info'\n"
			    "W TLS_LEVEL='old' is not understood: using the default 'modern'\n"
			    "W POSTHORN_LISTEN contains control characters: using the default ''\n"
			    "W POSTHORN_SMTP_ERRORS_MAX='0' is not between 1 and 10000: using the "
			    "default '20'\n");
}

static void some_wrong_words_keep_the_server_from_starting(void **state)
{
	static const struct {
		const char *env, *text;
	} cases[] = {
		{ "SSL_TYPE=magic", "Invalid value for SSL_TYPE!" },
		{ "DOVECOT_INET_PROTOCOLS=ipx", "Invalid value for DOVECOT_INET_PROTOCOLS!" },
		{ "ACCOUNT_PROVISIONER=OIDC", "Invalid value for ACCOUNT_PROVISIONER!" },
		{ "SSL_TYPE=manual", "Environment Variable: SSL_CERT_PATH is not set!" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(LOAD(f, cases[i].env), -EINVAL);
		assert_string_equal(f->err.text, cases[i].text);
	}
}

static void the_domain_is_the_name_without_its_first_label(void **state)
{
	static const struct {
		const char *env, *fqdn, *domain;
	} cases[] = {
		{ "OVERRIDE_HOSTNAME=mail.example.test", "mail.example.test", "example.test" },
		{ "OVERRIDE_HOSTNAME=a.b.example.test", "a.b.example.test", "b.example.test" },
		{ "OVERRIDE_HOSTNAME=example.test", "example.test", "example.test" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(load(f, (const char *const[]){ cases[i].env, NULL }), 0);
		assert_str(f->s.fqdn, cases[i].fqdn);
		assert_str(f->s.domain, cases[i].domain);
	}
}

static void a_host_name_without_a_dot_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "mail", ".test", "mail.", "mail .x", "m\xc3\xa4il.x" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char env[64];
		snprintf(env, sizeof(env), "OVERRIDE_HOSTNAME=%s", names[i]);
		assert_int_equal(load(f, (const char *const[]){ env, NULL }), -EINVAL);
		assert_string_equal(f->err.text,
				    "Setting hostname/domainname is required: "
				    "OVERRIDE_HOSTNAME, or a host name with a dot in it");
	}
}

static void dns_servers_are_addresses_with_ports(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *env;
		int result;
	} cases[] = {
		{ "POSTHORN_DNS=192.0.2.53, [2001:db8::53]:5353", 0 },
		{ "POSTHORN_DNS=system", 0 },
		{ "POSTHORN_DNS=192.0.2.53,dns.example", -EINVAL },
		{ "POSTHORN_DNS=192.0.2.53:0", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (LOAD(f, cases[i].env) != cases[i].result)
			fail_msg("%s", cases[i].env);
}

static void a_secret_is_read_from_its_file_when_the_variable_is_empty(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/posthorn-secret-XXXXXX", env[128], expected[256];
	auto_close int fd = mkstemp(path);
	assert_int_equal(write(fd, "1\n\n", 3), 3);
	snprintf(env, sizeof(env), "ENABLE_POP3__FILE=%s", path);

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "ENABLE_POP3=", env), 0);
	unlink(path);
	assert_true(f->s.enable_pop3);
	assert_str(f->s.text[SETTING_ID_enable_pop3], "1");
	snprintf(expected, sizeof(expected), "I Getting secret 'ENABLE_POP3' from '%s'\n", path);
	assert_string_equal(f->reports, expected);
}

static void a_secret_file_is_ignored_when_the_variable_is_set_or_the_file_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "ENABLE_POP3=0",
			      "ENABLE_POP3__FILE=/etc/passwd", "ENABLE_IMAP__FILE=/nonexistent"),
			 0);
	assert_false(f->s.enable_pop3);
	assert_true(f->s.enable_imap);
	assert_string_equal(f->reports,
			    "W File defined for secret 'ENABLE_IMAP' with path '/nonexistent' does "
			    "not exist\n"
			    "W ENV value will not be sourced from 'ENABLE_POP3__FILE' since "
			    "'ENABLE_POP3' is already set\n");
}

static void a_mistyped_setting_is_reported(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "POSTHORN_SMTP_ERROR_MAX=3", "OTHER=1"), 0);
	assert_string_equal(f->reports, "W POSTHORN_SMTP_ERROR_MAX is not a setting\n");
}

static void what_docker_mailserver_did_and_we_do_not_is_reported(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "SSL_TYPE=snakeoil", "SPAM_SUBJECT=x", "ENABLE_OAUTH2=0",
			      "ENABLE_OAUTH2=1", "RELAY_HOST=", "DMS_VMAIL_UID=5000"),
			 0);
	assert_string_equal(f->reports, "W SPAM_SUBJECT is set, but has no effect here\n"
					"W ENABLE_OAUTH2 is set, but has no effect here\n");
}

static void a_child_gets_the_same_settings(void **state)
{
	struct fixture *f = *state;
	struct settings child;

	assert_int_equal(LOAD(f, "SMTP_ONLY=1", "POSTHORN_ROOT=/srv/x/", "POSTHORN_SMTP_IDLE=9m",
			      "SSL_TYPE=custom", "POSTHORN_SMTP_ERRORS_MAX=none"),
			 0);
	const char *const *env = settings_export(&f->s, &f->arena);
	assert_int_equal(settings_load(env, NULL, &f->arena, &child, &f->err), 0);
	assert_true(child.smtp_only);
	assert_false(child.enable_quotas);
	assert_int_equal(child.smtp_idle, 540000);
	assert_int_equal(child.smtp_errors_max, 20);
	assert_str(child.fqdn, "mail.example.test");
	assert_str(child.state_dir, "/srv/x/var/mail-state/lib-posthorn");
}

static void paths_are_put_behind_the_root_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "POSTHORN_ROOT=/srv/x"), 0);
	assert_str(settings_path(&f->s, &f->arena, "/etc/a"), "/srv/x/etc/a");
	assert_str(settings_path(&f->s, &f->arena, "/srv/x/etc/a"), "/srv/x/etc/a");
	assert_str(settings_path(&f->s, &f->arena, "/srv/xy"), "/srv/x/srv/xy");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_environment_gives_the_defaults),
		TEST(every_default_lies_between_its_bounds),
		TEST(switches_are_on_only_when_numerically_one),
		TEST(a_word_in_a_switch_is_off_with_a_warning),
		TEST(numbers_carry_the_units_of_their_type),
		TEST(a_value_that_cannot_be_used_leaves_the_default),
		TEST(some_wrong_words_keep_the_server_from_starting),
		TEST(the_domain_is_the_name_without_its_first_label),
		TEST(a_host_name_without_a_dot_is_refused),
		TEST(dns_servers_are_addresses_with_ports),
		TEST(a_secret_is_read_from_its_file_when_the_variable_is_empty),
		TEST(a_secret_file_is_ignored_when_the_variable_is_set_or_the_file_is_missing),
		TEST(a_mistyped_setting_is_reported),
		TEST(what_docker_mailserver_did_and_we_do_not_is_reported),
		TEST(a_child_gets_the_same_settings),
		TEST(paths_are_put_behind_the_root_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
