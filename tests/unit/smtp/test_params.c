#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "smtp/params.h"

#define ALL                                                                                        \
	(SMTP_EXTENSION_AUTH | SMTP_EXTENSION_DSN | SMTP_EXTENSION_REQUIRETLS |                    \
	 SMTP_EXTENSION_PRIORITY)

static void mail_parameters_are_understood(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_mail_params m;
	struct str text = STR(
		" size=5000  BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B314159 AUTH=<> REQUIRETLS");

	assert_null(smtp_mail_params_parse(text, ALL, &a, &m));
	assert_int_equal(m.size, 5000);
	assert_int_equal(m.flags, ENVELOPE_8BITMIME | ENVELOPE_SMTPUTF8 | ENVELOPE_RET_HDRS |
					  ENVELOPE_REQUIRETLS);
	assert_true(str_eq(m.envid, STR("QQ+314159")));
}

static void priorities_are_one_digit_with_a_sign(void **state)
{
	static const struct {
		struct str text;
		bool ok;
		int priority;
	} cases[] = {
		{ STR_INIT(" MT-PRIORITY=0"), true, 0 },
		{ STR_INIT(" mt-priority=9"), true, 9 },
		{ STR_INIT(" MT-PRIORITY=-9"), true, -9 },
		{ STR_INIT(" MT-PRIORITY=-0"), true, 0 },
		{ STR_INIT(" MT-PRIORITY=10"), false, 0 },
		{ STR_INIT(" MT-PRIORITY=+1"), false, 0 },
		{ STR_INIT(" MT-PRIORITY=-"), false, 0 },
		{ STR_INIT(" MT-PRIORITY"), false, 0 },
		{ STR_INIT(" MT-PRIORITY=high"), false, 0 },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_mail_params m;
		const char *refusal = smtp_mail_params_parse(cases[i].text, ALL, &a, &m);
		assert_int_equal(!refusal, cases[i].ok);
		if (refusal)
			continue;
		assert_true(envelope_has_priority(m.flags));
		assert_int_equal(envelope_priority(m.flags), cases[i].priority);
		assert_int_equal(m.flags & ~(uint32_t)ENVELOPE_PRIORITY_MASK, 0);
	}
}

static void the_submitter_is_an_address_or_nobody(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_mail_params m;
	(void)state;

	assert_null(smtp_mail_params_parse(STR(" AUTH=e+3Dmc2@example.org"), ALL, &a, &m));
	assert_true(str_eq(m.auth, STR("e=mc2@example.org")));
	assert_null(smtp_mail_params_parse(STR(" AUTH=<>"), ALL, &a, &m));
	assert_int_equal(m.auth.n, 0);
	assert_non_null(smtp_mail_params_parse(STR(" AUTH="), ALL, &a, &m));
}

static void absent_parameters_are_the_defaults(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_mail_params m = { .size = 1, .flags = 1 };
	struct smtp_rcpt_params r = { .notify = 1 };

	assert_null(smtp_mail_params_parse(STR(""), 0, &a, &m));
	assert_int_equal(m.size, 0);
	assert_int_equal(m.flags, 0);
	assert_null(smtp_rcpt_params_parse(STR("  "), 0, &a, &r));
	assert_int_equal(r.notify, 0);
	assert_int_equal(r.orcpt.n, 0);
}

static void a_size_beyond_all_numbers_is_the_largest(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_mail_params m;
	assert_null(smtp_mail_params_parse(STR(" SIZE=99999999999999999999"), ALL, &a, &m));
	assert_true(m.size == UINT64_MAX);
}

static void bad_mail_parameters_are_refused(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		const char *reply;
	} cases[] = {
		{ STR_INIT(" SIZE="), "501 5.5.4 Error: bad parameter syntax" },
		{ STR_INIT(" SIZE"), "501 5.5.4 Bad message size syntax" },
		{ STR_INIT(" SIZE=-1"), "501 5.5.4 Bad message size syntax" },
		{ STR_INIT(" SIZE=000000000000000000001"), "501 5.5.4 Bad message size syntax" },
		{ STR_INIT(" SIZE=1 SIZE=2"), "501 5.5.4 Error: parameter given twice" },
		{ STR_INIT(" BODY=9BIT"), "501 5.5.4 Bad BODY parameter" },
		{ STR_INIT(" SMTPUTF8=yes"), "501 5.5.4 Error: bad parameter syntax" },
		{ STR_INIT(" REQUIRETLS=yes"), "501 5.5.4 Error: bad parameter syntax" },
		{ STR_INIT(" RET=BODY"), "501 5.5.4 Bad RET parameter syntax" },
		{ STR_INIT(" ENVID=a+0Ab"), "501 5.5.4 Bad ENVID parameter syntax" },
		{ STR_INIT(" ENVID=a+2"), "501 5.5.4 Bad ENVID parameter syntax" },
		{ STR_INIT(" XFOO=1"), "555 5.5.4 Error: unsupported option" },
		{ STR_INIT(" NOTIFY=NEVER"), "555 5.5.4 Error: unsupported option" },
		{ STR_INIT(" =1"), "501 5.5.4 Error: bad parameter syntax" },
		{ STR_INIT(" -X=1"), "501 5.5.4 Error: bad parameter syntax" },
		{ STR_INIT(" BODY=\x80"), "501 5.5.4 Error: bad parameter syntax" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_mail_params m;
		const char *reply = smtp_mail_params_parse(cases[i].text, ALL, &a, &m);
		assert_non_null(reply);
		assert_string_equal(reply, cases[i].reply);
	}
}

static void parameters_of_extensions_not_offered_are_refused(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_mail_params m;
	struct smtp_rcpt_params r;
	assert_string_equal(smtp_mail_params_parse(STR(" RET=FULL"), 0, &a, &m),
			    "501 5.7.1 DSN support is disabled");
	assert_string_equal(smtp_rcpt_params_parse(STR(" NOTIFY=NEVER"), 0, &a, &r),
			    "501 5.7.1 DSN support is disabled");
	assert_string_equal(smtp_mail_params_parse(STR(" REQUIRETLS"), 0, &a, &m),
			    "555 5.5.4 Error: unsupported option");
	assert_string_equal(smtp_mail_params_parse(STR(" AUTH=<>"), 0, &a, &m),
			    "555 5.5.4 Error: unsupported option");
}

static void notify_is_never_or_a_list(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		bool ok;
		unsigned notify;
	} cases[] = {
		{ STR_INIT(" NOTIFY=NEVER"), true, ENVELOPE_NOTIFY_NEVER },
		{ STR_INIT(" NOTIFY=success,DELAY"), true,
		  ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY },
		{ STR_INIT(" NOTIFY=FAILURE"), true, ENVELOPE_NOTIFY_FAILURE },
		{ STR_INIT(" NOTIFY=NEVER,SUCCESS"), false, 0 },
		{ STR_INIT(" NOTIFY=SUCCESS,NEVER"), false, 0 },
		{ STR_INIT(" NOTIFY=SUCCESS,"), false, 0 },
		{ STR_INIT(" NOTIFY=,SUCCESS"), false, 0 },
		{ STR_INIT(" NOTIFY"), false, 0 },
		{ STR_INIT(" NOTIFY=ALWAYS"), false, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_rcpt_params r = { 0 };
		const char *reply = smtp_rcpt_params_parse(cases[i].text, ALL, &a, &r);
		assert_int_equal(reply == NULL, cases[i].ok);
		assert_int_equal(r.notify, cases[i].notify);
	}
}

static void orcpt_is_decoded_unless_it_is_utf8(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		const char *orcpt; /* NULL: refused */
	} cases[] = {
		{ STR_INIT(" ORCPT=rfc822;Bob+2BTag@Example.COM"), "rfc822;Bob+Tag@Example.COM" },
		{ STR_INIT(" ORCPT=utf-8;j\xc3\xb6rg@example.org"),
		  "utf-8;j\xc3\xb6rg@example.org" },
		{ STR_INIT(" ORCPT=rfc822;j\xc3\xb6rg@example.org"), NULL },
		{ STR_INIT(" ORCPT=rfc822;"), NULL },
		{ STR_INIT(" ORCPT=;a@b"), NULL },
		{ STR_INIT(" ORCPT=a@b"), NULL },
		{ STR_INIT(" ORCPT=rfc822;a+0D+0Ab"), NULL },
		{ STR_INIT(" ORCPT=rfc822;a=b"), NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_rcpt_params r = { 0 };
		const char *reply = smtp_rcpt_params_parse(cases[i].text, ALL, &a, &r);
		assert_int_equal(reply == NULL, cases[i].orcpt != NULL);
		assert_true(str_eq(r.orcpt, str_from(cases[i].orcpt)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_parameters_are_understood),
		cmocka_unit_test(priorities_are_one_digit_with_a_sign),
		cmocka_unit_test(the_submitter_is_an_address_or_nobody),
		cmocka_unit_test(absent_parameters_are_the_defaults),
		cmocka_unit_test(a_size_beyond_all_numbers_is_the_largest),
		cmocka_unit_test(bad_mail_parameters_are_refused),
		cmocka_unit_test(parameters_of_extensions_not_offered_are_refused),
		cmocka_unit_test(notify_is_never_or_a_list),
		cmocka_unit_test(orcpt_is_decoded_unless_it_is_utf8),
	};
	return cmocka_run_group_tests_name("smtp/params", tests, NULL, NULL);
}
