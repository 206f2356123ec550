#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "filter/signing.h"

/* RFC 8463 A.1 */
#define ED_KEY "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

static char dir[] = "/tmp/posthorn-signing-XXXXXX";
static char problems[4096];
static const char *rsa_pem;

static void note(const char *file, unsigned line, const char *text)
{
	size_t n = strlen(problems);

	snprintf(problems + n, sizeof(problems) - n, "%s:%u: %s\n", file, line, text);
}

static void put(const char *name, const char *text)
{
	auto_free char *path = NULL;
	struct err err;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(fd_make_dirs(path, 0700, &err), 0);
	*slash = '/';
	assert_int_equal(fd_replace_file(path, str_from(text), 0600, &err), 0);
}

static struct signing *load(bool opendkim, bool rspamd)
{
	const struct signing_source source = { str_from(dir), opendkim, rspamd, note };

	problems[0] = '\0';
	return signing_load(&source);
}

/* "domain:selector" of each key, in order. */
static void assert_keys(const struct signing *s, const char *author, const char *expected)
{
	const struct signing_key *keys[SIGNING_KEYS_PER_MESSAGE];
	char found[256] = "";
	size_t n = signing_find(s, str_from(author), keys);

	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(found);
		snprintf(found + at, sizeof(found) - at, "%s%" STR_FMT ":%" STR_FMT, i ? " " : "",
			 STR_ARG(keys[i]->domain), STR_ARG(keys[i]->selector));
	}
	assert_string_equal(found, expected);
}

static int setup(void **state)
{
	(void)state;
	auto_free char *command = NULL;

	assert_non_null(mkdtemp(dir));
	assert_true(
		asprintf(&command,
			 "mkdir -p %s/rspamd/dkim && openssl genrsa -out %s/rspamd/dkim/rsa 2048 "
			 "2>/dev/null",
			 dir, dir) > 0);
	assert_int_equal(system(command), 0);
	rsa_pem = "/tmp/docker-mailserver/rspamd/dkim/rsa";
	put("opendkim/keys/example.org/mail.private", ED_KEY);
	put("rspamd/dkim/ed", ED_KEY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	auto_free char *command = NULL;

	assert_true(asprintf(&command, "rm -rf %s", dir) > 0);
	return system(command);
}

static void the_tables_of_opendkim_choose_the_key(void **state)
{
	(void)state;
	put("opendkim/KeyTable",
	    "# keys\n"
	    "mail._domainkey.example.org example.org:mail:/etc/opendkim/keys/example.org/"
	    "mail.private\r\n"
	    "any %:any:keys/example.org/mail.private\n"
	    "rsa example.org:r:/tmp/docker-mailserver/rspamd/dkim/rsa\n");
	put("opendkim/SigningTable", "*@Example.org mail._domainkey.example.org\n"
				     "*@example.org rsa\n"
				     "*@example.org any\n"
				     "news@*.example.net any\n"
				     "example.com  any\n"
				     "*@xn--bcher-kva.example any\n*@m\xc3\xbc"
				     "ll.example any\n");
	struct signing *s = load(true, false);
	assert_string_equal(problems, "");
	assert_keys(s, "a@example.org", "example.org:mail example.org:r");
	assert_keys(s, "a@sub.example.org", "");
	assert_keys(s, "a@badexample.org", "");
	assert_keys(s, "news@a.example.net", "%:any");
	assert_keys(s, "olds@a.example.net", "");
	assert_keys(s, "x@example.com", "%:any");
	assert_keys(s, "", "");
	/* One domain has two forms. */
	assert_keys(s,
		    "a@b\xc3\xbc"
		    "cher.example",
		    "%:any");
	assert_keys(s, "a@xn--mll-hoa.example", "%:any");
	signing_unref(s);
}

static void what_cannot_be_used_is_reported_and_left_out(void **state)
{
	(void)state;
	put("opendkim/KeyTable", "good example.org:mail:keys/example.org/mail.private\n"
				 "one\n"
				 "two example.org\n"
				 "three example.org:x:/etc/opendkim/missing\n"
				 "four example.org:x:/etc/opendkim/KeyTable\n");
	put("opendkim/SigningTable", "*@example.org good\n*@example.net nothing\n");
	struct signing *s = load(true, false);
	assert_keys(s, "a@example.org", "example.org:mail");
	assert_keys(s, "a@example.net", "");
	signing_unref(s);
	assert_non_null(strstr(problems, "opendkim/KeyTable:2: two words are expected\n"));
	assert_non_null(strstr(problems, "KeyTable:3: domain:selector:path is expected\n"));
	assert_non_null(strstr(problems, "KeyTable:4: the key cannot be read: "));
	assert_non_null(strstr(problems, "KeyTable:5: "));
	assert_non_null(strstr(problems, "SigningTable:2: there is no key nothing\n"));
}

/* As `setup config dkim` of docker-mailserver writes it, and with two keys for one domain. */
static void the_file_of_rspamd_chooses_the_key(void **state)
{
	(void)state;
	auto_free char *text = NULL;

	assert_true(asprintf(&text,
			     "# documentation: https://rspamd.com/doc/modules/dkim_signing.html\n"
			     "enabled = true;\n"
			     "sign_authenticated = true;\n"
			     "use_domain = \"header\";\n"
			     "selector = \"wrong\"; path = \"/nowhere\";\n"
			     "domain {\n"
			     "    example.org {\n"
			     "        path = \"%s\";\n"
			     "        selector = \"mail\";\n"
			     "    }\n"
			     "  \"example.net\" = { selectors: [ /* two */\n"
			     "     { path: 'ed', selector: 'e' },\n"
			     "     { path = %s; selector = r }\n"
			     "  ] }\n"
			     "}\n"
			     "other { path = \"a\"; selector = \"b\" }\n",
			     rsa_pem, rsa_pem) > 0);
	put("rspamd/override.d/dkim_signing.conf", text);
	struct signing *s = load(false, true);
	assert_string_equal(problems, "");
	assert_keys(s, "a@example.org", "example.org:mail");
	assert_keys(s, "a@sub.example.org", "example.org:mail");
	assert_keys(s, "a@notexample.org", "");
	assert_keys(s, "a@example.net", "example.net:e example.net:r");
	assert_keys(s, "a@other", "");
	signing_unref(s);
}

static void a_damaged_file_of_rspamd_is_reported(void **state)
{
	(void)state;
	static const char *const bad[] = { "domain { a { ", "domain { a ] }", "}", "{{{{{{{{{{{",
					   "domain [ { } }" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put("rspamd/override.d/dkim_signing.conf", bad[i]);
		struct signing *s = load(false, true);
		assert_int_equal(s->key_count, 0);
		assert_non_null(strstr(problems, "brackets do not match"));
		signing_unref(s);
	}
}

static void opendkim_goes_before_rspamd(void **state)
{
	(void)state;
	put("opendkim/KeyTable", "k example.org:open:keys/example.org/mail.private\n");
	put("opendkim/SigningTable", "*@example.org k\n");
	put("rspamd/override.d/dkim_signing.conf",
	    "domain { example.org { path = ed; selector = r }"
	    " example.net { path = ed; selector = r } }");
	struct signing *s = load(true, true);
	assert_keys(s, "a@example.org", "example.org:open");
	assert_keys(s, "a@example.net", "example.net:r");
	signing_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_of_opendkim_choose_the_key),
		cmocka_unit_test(what_cannot_be_used_is_reported_and_left_out),
		cmocka_unit_test(the_file_of_rspamd_chooses_the_key),
		cmocka_unit_test(a_damaged_file_of_rspamd_is_reported),
		cmocka_unit_test(opendkim_goes_before_rspamd),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
