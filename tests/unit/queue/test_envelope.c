#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "queue/envelope.h"

static struct envelope_recipient two_recipients[] = {
	{
		.kind = ENVELOPE_MAILBOX,
		.address = STR_INIT("alice+news@example.org"),
		.account = STR_INIT("alice@example.org"),
		.original = STR_INIT("sales@example.org"),
		.orcpt = STR_INIT("rfc822;Sales@example.org"),
		.notify = ENVELOPE_NOTIFY_FAILURE | ENVELOPE_NOTIFY_DELAY,
	},
	{ .kind = ENVELOPE_REMOTE, .address = STR_INIT("bob@example.net") },
};

static const struct envelope sample = {
	.flags = ENVELOPE_SMTPUTF8 | ENVELOPE_RET_HDRS | 19 << ENVELOPE_PRIORITY_SHIFT,
	.sender = STR_INIT("j\xc3\xb6rg@example.com"),
	.envid = STR_INIT("QQ314159"),
	.auth_user = STR_INIT("jorg"),
	.client_name = STR_INIT("mx.example.com"),
	.client_address = STR_INIT("192.0.2.7"),
	.helo = STR_INIT("mx"),
	.recipients = two_recipients,
	.recipient_count = 2,
};

static struct str written(const struct envelope *e, struct arena *a)
{
	struct buf b;

	buf_init(&b, a, ENVELOPE_SIZE_MAX);
	envelope_write(e, &b);
	assert_false(buf_failed(&b));
	return buf_str(&b);
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct envelope e;
	struct err err;

	assert_int_equal(envelope_check(&sample, &err), 0);
	assert_int_equal(envelope_parse(written(&sample, &a), &a, &e, &err), 0);

	assert_int_equal(e.flags, sample.flags);
	assert_true(str_eq(e.sender, sample.sender));
	assert_true(str_eq(e.envid, sample.envid));
	assert_true(str_eq(e.auth_user, sample.auth_user));
	assert_true(str_eq(e.client_name, sample.client_name));
	assert_true(str_eq(e.client_address, sample.client_address));
	assert_true(str_eq(e.helo, sample.helo));
	assert_int_equal(e.recipient_count, 2);
	assert_int_equal(e.recipients[0].kind, ENVELOPE_MAILBOX);
	assert_int_equal(e.recipients[0].notify, two_recipients[0].notify);
	assert_true(str_eq(e.recipients[0].address, two_recipients[0].address));
	assert_true(str_eq(e.recipients[0].original, two_recipients[0].original));
	assert_true(str_eq(e.recipients[0].orcpt, two_recipients[0].orcpt));
	assert_true(str_eq(envelope_account(&e.recipients[0]), STR("alice@example.org")));
	assert_true(str_eq(envelope_account(&e.recipients[1]), STR("bob@example.net")));
}

static void every_shorter_or_longer_form_is_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str bytes = written(&sample, &a);
	struct envelope e;

	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(envelope_parse(str_sub(bytes, 0, n), &a, &e, NULL), -EBADMSG);

	char *longer = arena_zalloc(&a, bytes.n + 1);
	memcpy(longer, bytes.p, bytes.n);
	assert_int_equal(envelope_parse(str_of(longer, bytes.n + 1), &a, &e, NULL), -EBADMSG);
}

static void an_unknown_version_is_told_apart(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct envelope e;
	struct err err;

	assert_int_equal(envelope_parse(STR("\x02whatever"), &a, &e, &err), -EPROTO);
	assert_string_equal(err.text, "envelope: version 2");
}

static void a_huge_count_allocates_nothing(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct envelope e;

	struct str lie = STR("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff");
	assert_int_equal(envelope_parse(lie, &a, &e, NULL), -EBADMSG);
	assert_int_equal(a.total, 0);
}

static void limits_are_kept(void **state)
{
	(void)state;
	static char big[ENVELOPE_ADDRESS_MAX + 1];
	static struct envelope_recipient many[ENVELOPE_RECIPIENTS_MAX + 1];
	struct envelope_recipient one = { .address = STR_INIT("a@b") };
	memset(big, 'a', sizeof(big));
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = one;

	const struct {
		struct envelope e;
		int result;
	} cases[] = {
		{ { .recipients = &one, .recipient_count = 1 }, 0 },
		{ { .recipients = many, .recipient_count = ENVELOPE_RECIPIENTS_MAX }, 0 },
		{ { .recipients = many, .recipient_count = ARRAY_LEN(many) }, -E2BIG },
		{ { .recipients = &one, .recipient_count = 0 }, -EINVAL },
		{ { .recipients = &one, .recipient_count = 1, .flags = 1 << 20 }, -EINVAL },
		{ { .recipients = &one,
		    .recipient_count = 1,
		    .flags = 20 << ENVELOPE_PRIORITY_SHIFT },
		  -EINVAL },
		{ { .recipients = &one, .recipient_count = 1, .helo = STR_INIT("a\rb") }, -EINVAL },
		{ { .recipients = &one, .recipient_count = 1, .sender = { big, sizeof(big) } },
		  -E2BIG },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(envelope_check(&cases[i].e, NULL), cases[i].result);

	struct envelope e = { .recipients = &one, .recipient_count = 1 };
	one.kind = ENVELOPE_KINDS;
	assert_int_equal(envelope_check(&e, NULL), -EINVAL);
	one = (struct envelope_recipient){ .address = STR_INIT("") };
	assert_int_equal(envelope_check(&e, NULL), -EINVAL);
	one = (struct envelope_recipient){ .address = STR_INIT("a@b"), .notify = 64 };
	assert_int_equal(envelope_check(&e, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(every_shorter_or_longer_form_is_refused),
		cmocka_unit_test(an_unknown_version_is_told_apart),
		cmocka_unit_test(a_huge_count_allocates_nothing),
		cmocka_unit_test(limits_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
