#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "fake_dns.h"
#include "filter/dmarc.h"

#define ZONE                                                                                       \
	"_dmarc.reject.example TXT v=DMARC1; p=reject; sp=quarantine; np=none\n"                   \
	"sub.reject.example A 192.0.2.1\n"                                                         \
	"_dmarc.own.reject.example TXT v=DMARC1; p=none\n"                                         \
	"_dmarc.strict.example TXT v=DMARC1; p=reject; adkim=s; aspf=s\n"                          \
	"_dmarc.none.example TXT v=DMARC1; p=none\n"                                               \
	"_dmarc.some.example TXT v=DMARC1; p=reject; pct=50\n"                                     \
	"_dmarc.test.example TXT v=DMARC1; p=quarantine; t=y\n"                                    \
	"_dmarc.two.example TXT v=DMARC1; p=reject\n_dmarc.two.example TXT v=DMARC1; p=none\n"     \
	"_dmarc.mixed.example TXT v=spf1 -all\n_dmarc.mixed.example TXT v=DMARC1; p=reject\n"      \
	"_dmarc.slow.example TXT !\n"                                                              \
	"_dmarc.bank TXT v=DMARC1; p=reject; psd=y\n_dmarc.a.bank TXT v=DMARC1; p=quarantine\n"    \
	"_dmarc.unit.corp.example TXT v=DMARC1; p=reject; psd=n\n"                                 \
	"_dmarc.corp.example TXT v=DMARC1; p=none\n"                                               \
	"_dmarc.news.shop.co.uk TXT v=DMARC1; p=reject\n"                                          \
	"_dmarc.apart.shop.co.uk TXT v=DMARC1; p=reject; psd=n\n"                                  \
	"_dmarc.gov.uk TXT v=DMARC1; p=reject\n"                                                   \
	"_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject\n"                                    \
	"_dmarc.strict.gov.uk TXT v=DMARC1; p=quarantine; adkim=s\n"

struct dmarc_case {
	const char *from, *dkim, *spf;
	enum dmarc_result result;
	enum dmarc_policy disposition;
};

static struct dmarc_answer run(const struct dmarc_case *c, bool is_undecided, unsigned chance)
{
	auto_arena struct arena a = ARENA_INIT;
	struct fake_dns dns = { .zone = STR(ZONE) };
	struct lookup lookup = fake_dns_lookup(&dns);
	struct str dkim = str_from(c->dkim);
	const struct dmarc_identifiers i = {
		.from = str_from(c->from),
		.dkim = &dkim,
		.dkim_count = dkim.n ? 1 : 0,
		.spf = str_from(c->spf),
		.undecided = is_undecided,
		.chance = chance,
	};
	struct dmarc_answer answer;

	assert_int_equal(dmarc_check(&lookup, &i, &a, &answer), 0);
	assert_true(dns.questions < 40);
	return answer;
}

static void what_the_domain_of_the_author_wants_is_found(void **state)
{
	(void)state;
	static const struct dmarc_case cases[] = {
		{ "nothing.example", "", "", DMARC_NONE, DMARC_ACCEPT },
		{ "reject.example", "", "", DMARC_FAIL, DMARC_REJECT },
		{ "reject.example", "reject.example", "", DMARC_PASS, DMARC_ACCEPT },
		{ "reject.example", "", "Reject.Example", DMARC_PASS, DMARC_ACCEPT },
		{ "reject.example", "a.reject.example", "", DMARC_PASS, DMARC_ACCEPT },
		{ "reject.example", "", "bounce.reject.example", DMARC_PASS, DMARC_ACCEPT },
		{ "reject.example", "badreject.example", "example", DMARC_FAIL, DMARC_REJECT },
		{ "reject.example", "other.example", "other.example", DMARC_FAIL, DMARC_REJECT },
		{ "sub.reject.example", "", "", DMARC_FAIL, DMARC_QUARANTINE },
		{ "sub.reject.example", "reject.example", "", DMARC_PASS, DMARC_ACCEPT },
		{ "nowhere.reject.example", "", "", DMARC_FAIL, DMARC_ACCEPT },
		{ "own.reject.example", "", "", DMARC_FAIL, DMARC_ACCEPT },
		{ "a.b.c.d.e.f.g.h.i.j.k.reject.example", "reject.example", "", DMARC_PASS,
		  DMARC_ACCEPT },
		{ "strict.example", "a.strict.example", "", DMARC_FAIL, DMARC_REJECT },
		{ "strict.example", "", "a.strict.example", DMARC_FAIL, DMARC_REJECT },
		{ "strict.example", "strict.example", "", DMARC_PASS, DMARC_ACCEPT },
		{ "none.example", "", "", DMARC_FAIL, DMARC_ACCEPT },
		{ "two.example", "", "", DMARC_NONE, DMARC_ACCEPT },
		{ "mixed.example", "", "", DMARC_FAIL, DMARC_REJECT },
		{ "slow.example", "slow.example", "", DMARC_TEMPERROR, DMARC_ACCEPT },
		/* Below a public suffix that says so, nobody answers for his neighbours. */
		{ "a.bank", "b.bank", "", DMARC_FAIL, DMARC_QUARANTINE },
		{ "b.bank", "a.bank", "", DMARC_FAIL, DMARC_REJECT },
		{ "x.b.bank", "b.bank", "", DMARC_PASS, DMARC_ACCEPT },
		{ "x.a.bank", "b.bank", "", DMARC_FAIL, DMARC_QUARANTINE },
		/* Nor do units that say that they are apart. */
		{ "unit.corp.example", "corp.example", "", DMARC_FAIL, DMARC_REJECT },
		{ "corp.example", "unit.corp.example", "", DMARC_FAIL, DMARC_ACCEPT },
		/* Where nobody says anything, owners are those of the list. */
		{ "news.shop.co.uk", "shop.co.uk", "", DMARC_PASS, DMARC_ACCEPT },
		{ "news.shop.co.uk", "", "mail.Shop.co.uk", DMARC_PASS, DMARC_ACCEPT },
		{ "news.shop.co.uk", "other.co.uk", "", DMARC_FAIL, DMARC_REJECT },
		{ "news.shop.co.uk", "co.uk", "", DMARC_FAIL, DMARC_REJECT },
		{ "news.shop.co.uk", "apart.shop.co.uk", "", DMARC_FAIL, DMARC_REJECT },
		{ "apart.shop.co.uk", "shop.co.uk", "", DMARC_FAIL, DMARC_REJECT },
		/* A record at a public suffix makes it nobody's. */
		{ "tax.gov.uk", "health.gov.uk", "", DMARC_FAIL, DMARC_REJECT },
		{ "a.tax.gov.uk", "tax.gov.uk", "", DMARC_PASS, DMARC_ACCEPT },
		/* One domain has two forms, and mail both of them (RFC 8616). */
		{ "B\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example", "", DMARC_PASS, DMARC_ACCEPT },
		{ "xn--bcher-kva.example",
		  "a.b\xc3\xbc"
		  "cher.example",
		  "", DMARC_PASS, DMARC_ACCEPT },
		{ "xn--bcher-kva.example", "",
		  "b\xc3\xbc"
		  "cher.example",
		  DMARC_PASS, DMARC_ACCEPT },
		{ "b\xc3\xbc"
		  "cher.example",
		  "bucher.example", "", DMARC_FAIL, DMARC_REJECT },
		{ "strict.gov.uk", "a.strict.gov.uk", "", DMARC_FAIL, DMARC_QUARANTINE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dmarc_answer answer = run(&cases[i], false, 0);
		if (answer.result != cases[i].result || answer.disposition != cases[i].disposition)
			print_error("%s %s %s: %s %s\n", cases[i].from, cases[i].dkim, cases[i].spf,
				    dmarc_result_name(answer.result),
				    dmarc_policy_name(answer.disposition));
		assert_int_equal(answer.result, cases[i].result);
		assert_int_equal(answer.disposition, cases[i].disposition);
	}
}

/* Reports tell of both, although one is enough to pass. */
static void both_alignments_are_told(void **state)
{
	(void)state;
	static const struct dmarc_case both = { "reject.example", "reject.example",
						"a.reject.example", 0, 0 };
	static const struct dmarc_case by_dkim = { "strict.example", "strict.example",
						   "a.strict.example", 0, 0 };
	struct dmarc_answer a = run(&both, false, 0);

	assert_true(a.dkim_aligned && a.spf_aligned);
	a = run(&by_dkim, false, 0);
	assert_true(a.dkim_aligned && !a.spf_aligned && a.record.strict_spf);
	assert_int_equal(a.record.policy, DMARC_REJECT);
}

static void some_are_spared(void **state)
{
	(void)state;
	static const struct dmarc_case half = { "some.example", "", "", 0, 0 };
	static const struct dmarc_case test = { "test.example", "", "", 0, 0 };

	assert_int_equal(run(&half, false, 49).disposition, DMARC_REJECT);
	assert_int_equal(run(&half, false, 50).disposition, DMARC_QUARANTINE);
	assert_int_equal(run(&half, false, 50).policy, DMARC_REJECT);
	assert_int_equal(run(&test, false, 0).disposition, DMARC_ACCEPT);
}

static void what_may_pass_later_does_not_fail_now(void **state)
{
	(void)state;
	static const struct dmarc_case fails = { "reject.example", "", "", 0, 0 };
	static const struct dmarc_case passes = { "reject.example", "reject.example", "", 0, 0 };

	assert_int_equal(run(&fails, true, 0).result, DMARC_TEMPERROR);
	assert_int_equal(run(&fails, true, 0).disposition, DMARC_ACCEPT);
	assert_int_equal(run(&passes, true, 0).result, DMARC_PASS);
}

static void records_are_read(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "v=DMARC1",
					   "v=DMARC2; p=none",
					   "p=none; v=DMARC1",
					   "v=DMARC1; p=maybe",
					   "v=DMARC1 p=none",
					   "v=dmarc1; p=none" };
	struct dmarc_record r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(dmarc_record_parse(str_from(bad[i]), &r), -EINVAL);
	assert_int_equal(dmarc_record_parse(STR("v=DMARC1;p=reject"), &r), 0);
	assert_int_equal(r.subdomains, DMARC_REJECT);
	assert_int_equal(r.percent, 100);
	assert_int_equal(r.psd, 'u');
	assert_int_equal(dmarc_record_parse(STR("v=DMARC1; p=x; rua=mailto:a@b; pct=200"), &r), 0);
	assert_int_equal(r.policy, DMARC_ACCEPT);
	assert_int_equal(r.percent, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_domain_of_the_author_wants_is_found),
		cmocka_unit_test(both_alignments_are_told),
		cmocka_unit_test(some_are_spared),
		cmocka_unit_test(what_may_pass_later_does_not_fail_now),
		cmocka_unit_test(records_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
