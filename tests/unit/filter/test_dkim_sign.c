#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "filter/dkim_sign.h"
#include "filter/dkim_verify.h"

#define NOW 1600000000

/* RFC 8463 A.1; the RSA key was made for this test. */
static const char ed_key[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
static const char rsa_key[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MIICeQIBADANBgkqhkiG9w0BAQEFAASCAmMwggJfAgEAAoGBAMTEVQKv6H3Htah2\n"
			      "GgJ5APzq17OnPAQePdanOpZVychTomKqYNCVkWZ0y3lAMN8ouQtXnB8TMNdo9Udd\n"
			      "9CAqfQV/LjPfFKZEO7DI5yk7iB0xPQPTi92Fk78FatZPqSCalzx4XCAAsr5jFi21\n"
			      "f/cn5rRbs8aoRACA8Ry82y1bR7cLAgMBAAECgYEAmZoKIsbfXxD/pjpLo5KCSu2o\n"
			      "5P2vxCc3btGs0p61nkRrh0opuaqIjsqt7EFH5W0MxuXlYfzBK+crUkLtyA5i+QDh\n"
			      "yb+L6WhVahGgu7biaZXXw9MYt8kdNTCcWCq+5dY3kdZ28szNYuKbT4m40amQiSe1\n"
			      "8W4A7vRMJuWLdJiK7QECQQDo1FqDNEdS9rGv2IqkVJ7B9vfXTiPCxok/L43DNlrQ\n"
			      "dk55O/CkvC6GGTOJIKEIj7JCm9YGwDfD0fO8oRGizRv7AkEA2Fk8RP2CRNIYPggw\n"
			      "EPIUlzfTzp9tc8E/ywcUJvlGWCwtnbnHVtaUG0kvoUMOsdflMbeed4zYr2AdbGE1\n"
			      "R9VUMQJBAOXsZuHwq4qrYbdkoS08/3ZOfFvbp4b+ZqTGQjmIINCCNGaWocMcrtjw\n"
			      "ZCtD1KLOvNv4ZrhN9APl/svFR9Q8tycCQQCSM7uG48okt9WqFd5llTJU/mUkPJi6\n"
			      "oN17Vk1ICSyAaVpqPCF5jYiI5+xIDgjgJgW8k1mDcKr92PYJR6e543ABAkEA5Hmh\n"
			      "Jk82ZiS+AGv8JyL4uNqrTP0WHLhpUyNwYye1wav38g+Hdxomyp4sFZRKx3WVipWQ\n"
			      "9ojlXM54dDJzI9ynLw==\n"
			      "-----END PRIVATE KEY-----\n";

static const char header[] = "From: Joe SixPack <joe@football.example.com>\r\n"
			     "To: Suzie Q <suzie@shopping.example.net>\r\n"
			     "Received: from x\r\n"
			     "Subject: Is dinner\r\n ready?\r\n"
			     "Message-ID: <1@example.com>\r\n"
			     "\r\n";
static const char body[] = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

struct signing {
	struct arena arena;
	struct dkim_private_key key;
	struct buf field;
};

static void sign(struct signing *s, const char *key, const char *head)
{
	struct dkim_signer signer;
	struct dkim_identity id = { STR("example.com"), STR("sel"), &s->key, NOW };
	struct err err;

	arena_init(&s->arena);
	buf_init(&s->field, &s->arena, 16384);
	assert_int_equal(dkim_private_key_parse(str_from(key), &s->key, &err), 0);
	assert_int_equal(dkim_sign_begin(&signer, str_from(head), &s->arena), 0);
	dkim_sign_body(&signer, str_from(body));
	dkim_sign_body_end(&signer);
	dkim_sign_write(&signer, &id, &s->field);
	dkim_sign_done(&signer);
	assert_false(buf_failed(&s->field));
}

static void done(struct signing *s)
{
	dkim_private_key_done(&s->key);
	arena_done(&s->arena);
}

static enum dkim_result verify(struct signing *s, const char *head)
{
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_verifier v;
	struct buf message, record;

	buf_init(&message, &a, 65536);
	buf_init(&record, &a, 4096);
	buf_put_str(&message, buf_str(&s->field));
	buf_puts(&message, head);
	buf_puts(&record, "v=DKIM1; ");
	dkim_private_key_write_record(&s->key, &record);
	assert_int_equal(dkim_verify_begin(&v, buf_str(&message), NOW, &a), 0);
	assert_int_equal(v.n, 1);
	dkim_verify_body(&v, str_from(body));
	dkim_verify_body_end(&v);
	struct str text = buf_str(&record);
	dkim_verify_key(&v, &v.v[0], &text, 1);
	enum dkim_result r = v.v[0].result;
	assert_true(str_eq(v.v[0].key_name, STR("sel._domainkey.example.com")));
	dkim_verify_done(&v);
	return r;
}

static void what_we_sign_verifies(void **state)
{
	(void)state;
	static const char *const keys[] = { ed_key, rsa_key };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct signing s;
		sign(&s, keys[i], header);
		assert_int_equal(verify(&s, header), DKIM_PASS);
		done(&s);
	}
}

static void nobody_can_add_a_field_that_matters(void **state)
{
	(void)state;
	static const char *const added[] = {
		"From: eve@example.net\r\n",   "Subject: Urgent\r\n", "To: x@example.net\r\n",
		"Reply-To: x@example.net\r\n", "Date: now\r\n",	      "Content-Type: text/html\r\n"
	};
	struct signing s;

	sign(&s, ed_key, header);
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		auto_buf struct buf changed;
		buf_init(&changed, NULL, 4096);
		buf_puts(&changed, added[i]);
		buf_puts(&changed, header);
		assert_int_equal(verify(&s, buf_cstr(&changed)), DKIM_FAIL);
	}
	done(&s);
}

static void servers_behind_us_may_trace(void **state)
{
	(void)state;
	auto_buf struct buf changed;
	struct signing s;

	sign(&s, ed_key, header);
	buf_init(&changed, NULL, 4096);
	buf_puts(&changed, "Return-Path: <a@b>\r\nReceived: from y\r\nList-Id: l\r\n");
	buf_puts(&changed, header);
	assert_int_equal(verify(&s, buf_cstr(&changed)), DKIM_PASS);
	done(&s);
}

static void lines_of_the_field_are_short(void **state)
{
	(void)state;
	struct signing s;

	sign(&s, rsa_key, header);
	STR_FOREACH_LINE (buf_str(&s.field), line)
		assert_true(line.n <= 78);
	done(&s);
}

/* A header that names one field many times does not make a signature that nobody checks. */
static void many_fields_of_one_name_are_signed_as_far_as_there_is_room(void **state)
{
	(void)state;
	auto_buf struct buf many;
	struct signing s;

	buf_init(&many, NULL, 65536);
	for (int i = 0; i < 900; i++)
		buf_puts(&many, i < 450 ? "To: a@example.net\r\n" : "Cc: a@example.net\r\n");
	buf_puts(&many, header);
	sign(&s, ed_key, buf_cstr(&many));
	assert_int_equal(verify(&s, buf_cstr(&many)), DKIM_PASS);
	done(&s);
}

static void what_is_no_key_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "abc", "AAAA",
					   "-----BEGIN PRIVATE KEY-----\nAAAA\n" };
	struct dkim_private_key key;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(dkim_private_key_parse(str_from(bad[i]), &key, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_sign_verifies),
		cmocka_unit_test(nobody_can_add_a_field_that_matters),
		cmocka_unit_test(servers_behind_us_may_trace),
		cmocka_unit_test(lines_of_the_field_are_short),
		cmocka_unit_test(many_fields_of_one_name_are_signed_as_far_as_there_is_room),
		cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
