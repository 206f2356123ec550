#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/arena.h"
#include "fake_dns.h"
#include "filter/spf.h"
#include "filter/spf_record.h"

struct spf_case {
	const char *record; /* of example.com */
	enum spf_result result;
};

/* The zone of most cases; RFC 7208 A, with more of the kind. */
#define ZONE                                                                                       \
	"example.com A 192.0.2.10\nexample.com A 192.0.2.11\n"                                     \
	"example.com MX mail-a.example.com\nexample.com MX mail-b.example.com\n"                   \
	"amy.example.com A 192.0.2.65\nbob.example.com A 192.0.2.66\n"                             \
	"mail-a.example.com A 192.0.2.129\nmail-b.example.com A 192.0.2.130\n"                     \
	"mail-b.example.com AAAA 2001:db8::130\n"                                                  \
	"example.org MX mail-c.example.org\nmail-c.example.org A 192.0.2.140\n"                    \
	"192.0.2.10 PTR example.com\n192.0.2.65 PTR amy.example.com\n"                             \
	"192.0.2.66 PTR liar.example.com\n"                                                        \
	"192.0.2.129 PTR mail-a.example.com\n2001:db8::130 PTR mail-b.example.com\n"               \
	"pass.example TXT v=spf1 +all\nfail.example TXT v=spf1 -all\n"                             \
	"neutral.example TXT v=spf1 ?all\nsoft.example TXT v=spf1 ~all\n"                          \
	"loop.example TXT v=spf1 include:loop.example\n"                                           \
	"bad.example TXT v=spf1 foo\ntwo.example TXT v=spf1\ntwo.example TXT v=spf1 -all\n"        \
	"slow.example A !\nslow.example AAAA !\nslow.example MX !\nslow.example TXT !\n"           \
	"192.0.2.99 PTR !\n"                                                                       \
	"none.example A 192.0.2.1\n"                                                               \
	"strong-bad._spf.example.com A 127.0.0.2\n"                                                \
	"bad.strong.lp._spf.example.com A 127.0.0.2\n"                                             \
	"129.2.0.192.in-addr._spf.example.com A 127.0.0.2\n"                                       \
	"v6.3.2.1.only A 127.0.0.2\n"                                                              \
	"why.example TXT %{i} is not one of %{d}'s designated mail servers. See %{S}\n"            \
	"twice.example TXT a\ntwice.example TXT b\nbroken.example TXT %{x}\n"

struct checking {
	struct arena arena;
	struct fake_dns dns;
	struct spf_answer answer;
};

static void check_sender(struct checking *c, const char *record, const char *address,
			 const char *sender)
{
	arena_init(&c->arena);
	c->dns = (struct fake_dns){
		.zone = arena_printf(&c->arena, "%sexample.com TXT other\nexample.com TXT %s\n",
				     ZONE, record)
	};
	struct lookup lookup = fake_dns_lookup(&c->dns);
	struct spf_question q = {
		.address = fake_dns_address(str_from(address), &c->arena),
		.sender = str_from(sender),
		.helo = STR("mx.example.org"),
		.receiver = STR("mail.example.net"),
		.now = 1600000000,
	};
	assert_int_equal(spf_check_sender(&lookup, &q, &c->arena, &c->answer), 0);
}

static void assert_results(const struct spf_case *cases, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++) {
		struct checking c;
		check_sender(&c, cases[i].record, address, "strong-bad@example.com");
		if (c.answer.result != cases[i].result)
			print_error("%s: %s\n", cases[i].record, spf_result_name(c.answer.result));
		assert_int_equal(c.answer.result, cases[i].result);
		arena_done(&c.arena);
	}
}

static void mechanisms(void **state)
{
	(void)state;
	static const struct spf_case cases[] = {
		{ "v=spf1 +all", SPF_PASS },
		{ "v=spf1 -all", SPF_FAIL },
		{ "v=spf1 ~ALL", SPF_SOFTFAIL },
		{ "v=spf1 ?all", SPF_NEUTRAL },
		{ "v=spf1", SPF_NEUTRAL },
		{ "V=SPF1   ", SPF_NEUTRAL },
		{ "v=spf10 +all", SPF_NONE },
		{ "v=spf1 a -all", SPF_FAIL },
		{ "v=spf1 a:example.org -all", SPF_FAIL },
		{ "v=spf1 mx -all", SPF_PASS },
		{ "v=spf1 mx:example.org -all", SPF_FAIL },
		{ "v=spf1 mx/30 mx:example.org/30 -all", SPF_PASS },
		{ "v=spf1 mx:example.org/25 -all", SPF_PASS },
		{ "v=spf1 ptr -all", SPF_PASS },
		{ "v=spf1 ptr:example.org -all", SPF_FAIL },
		{ "v=spf1 ip4:192.0.2.128/28 -all", SPF_PASS },
		{ "v=spf1 ip4:192.0.2.129 -all", SPF_PASS },
		{ "v=spf1 ip4:192.0.2.130 -all", SPF_FAIL },
		{ "v=spf1 ip4:0.0.0.0/0 -all", SPF_PASS },
		{ "v=spf1 ip6:::/0 -all", SPF_FAIL },
		{ "v=spf1 a:mail-a.example.com -all", SPF_PASS },
		{ "v=spf1 a:mail-a.example.com. -all", SPF_PASS },
		{ "v=spf1 A:Mail-B.Example.COM/31 -all", SPF_FAIL },
		{ "v=spf1 a:mail-b.example.com/30 -all", SPF_PASS },
		{ "v=spf1 a:mail-b.example.com/30//64 -all", SPF_PASS },
		{ "v=spf1 a//64 a:mail-b.example.com/0 -all", SPF_PASS },
		{ "v=spf1 exists:%{l}._spf.%{d} -all", SPF_PASS },
		{ "v=spf1 exists:%{lr-}.lp._spf.%{d2} -all", SPF_PASS },
		{ "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all", SPF_PASS },
		{ "v=spf1 exists:%{i}.none.example -all", SPF_FAIL },
		{ "v=spf1 -ip4:192.0.2.129 +all", SPF_FAIL },
		{ "v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.129 -all", SPF_PASS },
		/* From left to right: what stands behind a match is not looked at. */
		{ "v=spf1 ip4:192.0.2.129 include:slow.example -all", SPF_PASS },
	};

	assert_results(cases, ARRAY_LEN(cases), "192.0.2.129");
}

static void other_records_are_followed(void **state)
{
	(void)state;
	static const struct spf_case cases[] = {
		{ "v=spf1 include:pass.example -all", SPF_PASS },
		{ "v=spf1 include:fail.example ~all", SPF_SOFTFAIL },
		{ "v=spf1 include:neutral.example ~all", SPF_SOFTFAIL },
		{ "v=spf1 include:soft.example -all", SPF_FAIL },
		{ "v=spf1 -include:pass.example +all", SPF_FAIL },
		{ "v=spf1 include:none.example -all", SPF_PERMERROR },
		{ "v=spf1 include:nowhere.example -all", SPF_PERMERROR },
		{ "v=spf1 include:bad.example -all", SPF_PERMERROR },
		{ "v=spf1 include:two.example -all", SPF_PERMERROR },
		{ "v=spf1 include:slow.example -all", SPF_TEMPERROR },
		{ "v=spf1 include:loop.example -all", SPF_PERMERROR },
		{ "v=spf1 redirect=fail.example", SPF_FAIL },
		{ "v=spf1 redirect=pass.example ip4:10.0.0.0/8", SPF_PASS },
		{ "v=spf1 ?all redirect=pass.example", SPF_NEUTRAL },
		{ "v=spf1 redirect=none.example", SPF_PERMERROR },
		{ "v=spf1 redirect=slow.example", SPF_TEMPERROR },
		{ "v=spf1 redirect=example.com", SPF_PERMERROR },
		{ "v=spf1 a:slow.example -all", SPF_TEMPERROR },
		{ "v=spf1 mx:slow.example -all", SPF_TEMPERROR },
		{ "v=spf1 exists:slow.example -all", SPF_TEMPERROR },
	};

	assert_results(cases, ARRAY_LEN(cases), "192.0.2.129");
}

static void a_record_with_an_error_is_not_used_at_all(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"foo",
		"all:x.example",
		"all/8",
		"a:",
		"a/33",
		"a/",
		"a//129",
		"a/08",
		"a:x.example/x",
		"a:111.222.33.44",
		"a:foo:8080",
		"a:localhost",
		"a:-x.example/-1",
		"mx:",
		"ptr:",
		"ptr/8",
		"include",
		"include:",
		"include:x.example/24",
		"ip4",
		"ip4:",
		"ip4:1.2.3",
		"ip4:1.2.3.4.5",
		"ip4:1.2.3.4/33",
		"ip4:1.2.3.4//32",
		"ip4:1.2.3.4/",
		"ip4:1.2.3.4/01",
		"ip4:::1",
		"ip6:1.2.3.4",
		"ip6:::1/129",
		"ip6:::1//64",
		"exists",
		"exists:",
		"exists:x.example/24",
		"exists:%{d",
		"exists:%{x}.example",
		"exists:%{d0}.example",
		"exists:%{d5x}.example",
		"exists:%",
		"exists:%a.example",
		"exists:%{c}.example",
		"exists:%(d).example",
		"redirect=",
		"redirect=a b=",
		"redirect=x.example redirect=x.example",
		"exp=",
		"exp=x.example exp=x.example",
		"a:x.123",
		"a:x.ex-",
		"a=b%",
		"=x",
		"1=x",
		"++all",
		"default=%{r}",
		"a:\xc3\xa4.example",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char record[256];
		snprintf(record, sizeof(record), "v=spf1 +all %s", bad[i]);
		const struct spf_case one = { record, SPF_PERMERROR };
		assert_results(&one, 1, "192.0.2.129");
	}
}

static void work_is_limited(void **state)
{
	(void)state;
#define TEN "a a a a a a a a a a "
	static const struct spf_case cases[] = {
		{ "v=spf1 " TEN "-all", SPF_FAIL },
		{ "v=spf1 " TEN "a -all", SPF_PERMERROR },
		{ "v=spf1 " TEN "ip4:192.0.2.129 -all", SPF_PASS },
		{ "v=spf1 " TEN "redirect=pass.example", SPF_PERMERROR },
		{ "v=spf1 a:no1.example a:no2.example -all", SPF_FAIL },
		{ "v=spf1 a:no1.example a:no2.example a:no3.example -all", SPF_PERMERROR },
		{ "v=spf1 exists:no1.example mx:none.example exists:no2.example +all",
		  SPF_PERMERROR },
	};

	assert_results(cases, ARRAY_LEN(cases), "192.0.2.129");
}

static void names_of_the_client_must_lead_back(void **state)
{
	(void)state;
	static const struct spf_case liar[] = { { "v=spf1 ptr -all", SPF_FAIL },
						{ "v=spf1 a:%{p} -all", SPF_PERMERROR },
						{ "v=spf1 exists:%{p}.example -all", SPF_FAIL } };
	static const struct spf_case slow = { "v=spf1 ptr -all", SPF_FAIL };

	assert_results(liar, 1, "192.0.2.66");
	assert_results(&slow, 1, "192.0.2.99");
}

static void ipv6_is_compared_with_ipv6(void **state)
{
	(void)state;
	static const struct spf_case cases[] = {
		{ "v=spf1 ip6:2001:db8::/32 -all", SPF_PASS },
		{ "v=spf1 ip6:2001:DB8::130 -all", SPF_PASS },
		{ "v=spf1 ip6:2001:db8::131 -all", SPF_FAIL },
		{ "v=spf1 ip4:0.0.0.0/0 -all", SPF_FAIL },
		{ "v=spf1 a:mail-b.example.com -all", SPF_PASS },
		{ "v=spf1 a:mail-b.example.com/0//127 -all", SPF_PASS },
		{ "v=spf1 mx -all", SPF_PASS },
		{ "v=spf1 ptr -all", SPF_PASS },
	};
	static const struct spf_case mapped = { "v=spf1 ip4:192.0.2.129 -all", SPF_PASS };

	assert_results(cases, ARRAY_LEN(cases), "2001:db8::130");
	assert_results(&mapped, 1, "::ffff:192.0.2.129");
}

static void explanations_are_for_the_sender(void **state)
{
	(void)state;
	static const struct {
		const char *record, *explanation;
	} cases[] = {
		{ "v=spf1 exp=why.example -all",
		  "192.0.2.129 is not one of example.com's designated mail servers. See "
		  "strong-bad%40example.com" },
		{ "v=spf1 -all", "" },
		{ "v=spf1 exp=none.example -all", "" },
		{ "v=spf1 exp=twice.example -all", "" },
		{ "v=spf1 exp=broken.example -all", "" },
		{ "v=spf1 exp=slow.example -all", "" },
		{ "v=spf1 exp=why.example ~all", "" },
		{ "v=spf1 exp=why.example redirect=fail.example", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct checking c;
		check_sender(&c, cases[i].record, "192.0.2.129", "strong-bad@example.com");
		assert_true(str_eq(c.answer.explanation, str_from(cases[i].explanation)));
		arena_done(&c.arena);
	}
}

/* RFC 7208 7.4 */
static void macros_expand_as_in_the_rfc(void **state)
{
	(void)state;
	static const struct {
		const char *macro, *expanded, *address;
	} cases[] = {
		{ "%{s}", "strong-bad@email.example.com", "192.0.2.3" },
		{ "%{o}", "email.example.com", "192.0.2.3" },
		{ "%{d}", "email.example.com", "192.0.2.3" },
		{ "%{d4}", "email.example.com", "192.0.2.3" },
		{ "%{d3}", "email.example.com", "192.0.2.3" },
		{ "%{d2}", "example.com", "192.0.2.3" },
		{ "%{d1}", "com", "192.0.2.3" },
		{ "%{dr}", "com.example.email", "192.0.2.3" },
		{ "%{d2r}", "example.email", "192.0.2.3" },
		{ "%{l}", "strong-bad", "192.0.2.3" },
		{ "%{l-}", "strong.bad", "192.0.2.3" },
		{ "%{lr}", "strong-bad", "192.0.2.3" },
		{ "%{lr-}", "bad.strong", "192.0.2.3" },
		{ "%{l1r-}", "strong", "192.0.2.3" },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", "192.0.2.3" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", "192.0.2.3" },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net",
		  "192.0.2.3" },
		{ "%{ir}.%{v}._spf.%{d2}",
		  "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf."
		  "example.com",
		  "2001:db8::cb01" },
		{ "%{h}%%%_%-", "mx.example.org% %20", "192.0.2.3" },
		{ "%{c} %{r} %{t}", "2001:db8::cb01 mail.example.net 1600000000",
		  "2001:db8::cb01" },
		{ "%{p}", "unknown", "192.0.2.3" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a = ARENA_INIT;
		struct fake_dns dns = { .zone = arena_printf(
						&a,
						"email.example.com TXT v=spf1 exp=e.example "
						"-all\ne.example TXT %s\n",
						cases[i].macro) };
		struct lookup lookup = fake_dns_lookup(&dns);
		struct spf_answer answer;
		struct spf_question q = {
			.address = fake_dns_address(str_from(cases[i].address), &a),
			.sender = STR("strong-bad@email.example.com"),
			.helo = STR("mx.example.org"),
			.receiver = STR("mail.example.net"),
			.now = 1600000000,
		};
		assert_int_equal(spf_check_sender(&lookup, &q, &a, &answer), 0);
		if (!str_eq(answer.explanation, str_from(cases[i].expanded)))
			print_error("%s: %" STR_FMT "\n", cases[i].macro,
				    STR_ARG(answer.explanation));
		assert_true(str_eq(answer.explanation, str_from(cases[i].expanded)));
		arena_done(&a);
	}
}

static void without_a_sender_helo_counts(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct fake_dns dns = { .zone = STR("mx.example.org TXT v=spf1 exists:%{l}.%{o} -all\n"
					    "postmaster.mx.example.org A 127.0.0.2\n") };
	struct lookup lookup = fake_dns_lookup(&dns);
	struct spf_question q = { .address = fake_dns_address(STR("192.0.2.1"), &a),
				  .helo = STR("mx.example.org") };
	struct spf_answer answer;

	assert_int_equal(spf_check_sender(&lookup, &q, &a, &answer), 0);
	assert_int_equal(answer.result, SPF_PASS);
	assert_true(answer.by_helo);
	q.helo = STR("localhost");
	assert_int_equal(spf_check_helo(&lookup, &q, &a, &answer), 0);
	assert_int_equal(answer.result, SPF_NONE);
	q.helo = STR("[192.0.2.1]");
	assert_int_equal(spf_check_helo(&lookup, &q, &a, &answer), 0);
	assert_int_equal(answer.result, SPF_NONE);
	arena_done(&a);
}

static void the_field_says_what_was_found(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	auto_buf struct buf b;
	const struct spf_question q = { .address = fake_dns_address(STR("192.0.2.1"), &a),
					.sender = STR("\"a(b\"@example.com"),
					.helo = STR("x\r\nY: z"),
					.receiver = STR("mail.example.net") };
	const struct spf_answer s = { .result = SPF_PASS, .mechanism = STR("mx") };

	buf_init(&b, NULL, 4096);
	spf_write_received(&b, &q, &s);
	assert_string_equal(buf_cstr(&b),
			    "Received-SPF: pass (mail.example.net: domain of ?a?b?@example.com "
			    "designates 192.0.2.1 "
			    "as permitted sender)\r\n"
			    "\tclient-ip=192.0.2.1; envelope-from=\"\\\"a(b\\\"@example.com\";\r\n"
			    "\thelo=\"x??Y: z\"; receiver=mail.example.net; identity=mailfrom;\r\n"
			    "\tmechanism=\"mx\"\r\n");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mechanisms),
		cmocka_unit_test(other_records_are_followed),
		cmocka_unit_test(a_record_with_an_error_is_not_used_at_all),
		cmocka_unit_test(work_is_limited),
		cmocka_unit_test(names_of_the_client_must_lead_back),
		cmocka_unit_test(ipv6_is_compared_with_ipv6),
		cmocka_unit_test(explanations_are_for_the_sender),
		cmocka_unit_test(macros_expand_as_in_the_rfc),
		cmocka_unit_test(without_a_sender_helo_counts),
		cmocka_unit_test(the_field_says_what_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
