#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "courier/tls_policy.h"

struct tls_case {
	const char *name;
	struct tls_facts facts;
	enum tls_need need;
	const char *status;
	bool final;
};

/* RFC 7672 2.2, RFC 8461 2 and 5, RFC 8689 4.2. */
static const struct tls_case cases[] = {
	{ "nothing", { .mx = true }, TLS_NEED_NOTHING, "4.7.4", false },
	{ "TLSA",
	  { .mx = true, .mx_secure = true, .dane = TLS_DANE_USABLE },
	  TLS_NEED_DANE,
	  "4.7.5",
	  false },
	{ "TLSA, none usable", { .dane = TLS_DANE_UNUSABLE }, TLS_NEED_TLS, "4.7.4", false },
	{ "TLSA cannot be had", { .dane = TLS_DANE_FAILED }, TLS_NEED_OTHER_HOST, "4.7.5", false },
	{ "TLSA cannot be had, whatever MTA-STS says",
	  { .dane = TLS_DANE_FAILED, .sts = TLS_STS_ENFORCE, .sts_match = true },
	  TLS_NEED_OTHER_HOST,
	  "4.7.5",
	  false },
	{ "DANE comes before MTA-STS",
	  { .dane = TLS_DANE_USABLE, .sts = TLS_STS_ENFORCE, .sts_match = true },
	  TLS_NEED_DANE,
	  "4.7.5",
	  false },
	{ "DANE comes before a policy that does not match",
	  { .dane = TLS_DANE_USABLE, .sts = TLS_STS_ENFORCE },
	  TLS_NEED_DANE,
	  "4.7.5",
	  false },
	{ "enforce",
	  { .mx = true, .sts = TLS_STS_ENFORCE, .sts_match = true },
	  TLS_NEED_AUTHORITY,
	  "4.7.5",
	  false },
	{ "enforce beside unusable TLSA",
	  { .dane = TLS_DANE_UNUSABLE, .sts = TLS_STS_ENFORCE, .sts_match = true },
	  TLS_NEED_AUTHORITY,
	  "4.7.5",
	  false },
	{ "enforce, another host",
	  { .sts = TLS_STS_ENFORCE },
	  TLS_NEED_OTHER_HOST,
	  "4.7.5",
	  false },
	{ "testing",
	  { .sts = TLS_STS_TESTING, .sts_match = true },
	  TLS_NEED_NOTHING,
	  "4.7.4",
	  false },
	{ "testing, another host", { .sts = TLS_STS_TESTING }, TLS_NEED_NOTHING, "4.7.4", false },
	{ "REQUIRETLS and nothing",
	  { .mx = true, .requiretls = true },
	  TLS_NEED_OTHER_HOST,
	  "5.7.30",
	  true },
	{ "REQUIRETLS and DNSSEC",
	  { .mx = true, .mx_secure = true, .requiretls = true },
	  TLS_NEED_AUTHORITY,
	  "5.7.30",
	  true },
	{ "REQUIRETLS and MTA-STS",
	  { .mx = true, .sts = TLS_STS_TESTING, .sts_match = true, .requiretls = true },
	  TLS_NEED_AUTHORITY,
	  "5.7.30",
	  true },
	{ "REQUIRETLS and MTA-STS of others",
	  { .mx = true, .sts = TLS_STS_TESTING, .requiretls = true },
	  TLS_NEED_OTHER_HOST,
	  "5.7.30",
	  true },
	{ "REQUIRETLS and DANE",
	  { .mx = true, .mx_secure = true, .dane = TLS_DANE_USABLE, .requiretls = true },
	  TLS_NEED_DANE,
	  "4.7.5",
	  true },
	{ "REQUIRETLS and a host of the operator",
	  { .requiretls = true },
	  TLS_NEED_AUTHORITY,
	  "5.7.30",
	  true },
	{ "password", { .credentials = true }, TLS_NEED_TLS, "4.7.4", false },
	{ "password for who proves it",
	  { .credentials = true, .verify_relay = true },
	  TLS_NEED_AUTHORITY,
	  "4.7.5",
	  false },
	{ "no password, though", { .verify_relay = true }, TLS_NEED_NOTHING, "4.7.4", false },
	{ "required", { .required = true }, TLS_NEED_TLS, "4.7.4", false },
	{ "had TLS", { .remembered = true }, TLS_NEED_NOTHING, "4.7.4", false },
	{ "had TLS and must have it",
	  { .remembered = true, .refuse_downgrade = true },
	  TLS_NEED_TLS,
	  "4.7.4",
	  false },
};

static void each_case_is_decided_as_its_rfc_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tls_case *c = &cases[i];
		struct tls_decision d;
		tls_decide(&c->facts, &d);
		if (d.need != c->need || strcmp(d.status, c->status) != 0 || d.final != c->final)
			fail_msg("%s: %d %s %d", c->name, d.need, d.status, d.final);
		assert_int_equal(d.need == TLS_NEED_NOTHING, d.why[0] == '\0');
		assert_int_equal(d.testing,
				 c->facts.sts == TLS_STS_TESTING && !c->facts.requiretls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_decided_as_its_rfc_says),
	};
	return cmocka_run_group_tests_name("courier/tls_policy", tests, NULL, NULL);
}
