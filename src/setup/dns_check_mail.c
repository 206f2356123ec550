/* Who takes the mail of a domain, who may send it, and what others are to do about the rest: MX,
 * SPF, DMARC. */
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/settings.h"
#include "dns/dns_client.h"
#include "filter/dkim_tag.h"
#include "filter/dmarc.h"
#include "filter/public_suffix.h"
#include "filter/spf.h"
#include "filter/spf_record.h"
#include "setup/dns_check.h"

#define MX_PREFERENCE "10"

/* The records that are there stay. */
static void want_mx(struct dns_check *c, struct dns_finding *f, struct str domain,
		    const struct dns_mx_answer *found)
{
	struct dns_wanted *w =
		dns_finding_want(f, c->a, domain, "MX",
				 arena_printf(c->a, MX_PREFERENCE " %" STR_FMT, STR_ARG(c->host)));

	w->keep = ARENA_NEW_ARRAY(c->a, struct str, found->count);
	for (size_t i = 0; i < found->count; i++)
		if (found->mx[i].host.n)
			w->keep[w->keep_count++] =
				arena_printf(c->a, "%u %" STR_FMT, found->mx[i].preference,
					     STR_ARG(found->mx[i].host));
}

static void may_suspend check_exchange(struct dns_check *c, const struct dns_mx *mx, bool secure,
				       struct list *findings)
{
	struct dns_address_answer found;

	if (dns_find_addresses(c->dns, mx->host, false, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "mx", mx->host, &found.answer))
		return;
	bool alias = found.count && !str_eq_nocase(found.answer.name, mx->host), here = false;
	for (size_t i = 0; i < found.count; i++)
		here |= dns_check_is_ours(c, found.addresses[i].bytes);
	struct dns_finding *f = dns_finding_add(
		findings, c->a, "mx", found.count && !alias ? DNS_IS_RIGHT : DNS_IS_WRONG);
	dns_finding_say(f, c->a, "%u %" STR_FMT ", %s%s", mx->preference, STR_ARG(mx->host),
			here ? "this server" : "another server", secure ? ", signed (DNSSEC)" : "");
	if (!found.count)
		dns_finding_say(f, c->a, "it has no address");
	if (alias)
		dns_finding_say(f, c->a,
				"it is an alias of %" STR_FMT ", which must not be (RFC 2181 10.3)",
				STR_ARG(found.answer.name));
}

/* RFC 7672 2.2.1: TLSA records count when it is also proven that the mail goes to their host. */
static void may_suspend check_dane_of_domain(struct dns_check *c, struct str domain,
					     struct list *findings)
{
	struct str name = arena_printf(c->a, "_25._tcp.%" STR_FMT, STR_ARG(c->host));
	struct dns_tlsa_answer found;

	if (dns_find_tlsa(c->dns, name, c->a, &found) < 0 || !found.answer.secure || !found.count)
		return;
	dns_finding_say(dns_finding_add(findings, c->a, "dane", DNS_IS_ADVISED), c->a,
			"the zone of %" STR_FMT
			" is not signed (DNSSEC): the TLSA records of %" STR_FMT
			" do not protect its mail",
			STR_ARG(domain), STR_ARG(c->host));
}

static int by_preference(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	return x->preference != y->preference ? (x->preference < y->preference ? -1 : 1)
					      : str_cmp_nocase(x->host, y->host);
}

void dns_check_mx(struct dns_check *c, struct str domain, struct list *findings)
{
	struct dns_mx_answer found;
	struct dns_finding *f;
	bool any = false;

	if (dns_find_mx(c->dns, domain, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "mx", domain, &found.answer))
		return;
	qsort(found.mx, found.count, sizeof(found.mx[0]), by_preference);
	for (size_t i = 0; i < found.count; i++) {
		const struct dns_mx *mx = &found.mx[i];
		if (!mx->host.n) {
			f = dns_finding_add(findings, c->a, "mx", DNS_IS_WRONG);
			dns_finding_say(f, c->a,
					"the null MX says that the domain takes no mail "
					"(RFC 7505)");
			continue;
		}
		any |= dns_check_leads_here(c, mx->host) != 0;
		check_exchange(c, mx, found.answer.secure, findings);
	}
	if (any && !found.answer.secure)
		check_dane_of_domain(c, domain, findings);
	if (any || (found.count && !c->address_count))
		return;
	f = dns_finding_add(findings, c->a, "mx", DNS_IS_MISSING);
	dns_finding_say(f, c->a,
			found.count ? "none of them is this server"
				    : "nothing says who takes the mail of the domain");
	want_mx(c, f, domain, &found);
}

/* The texts of a domain that are no SPF record, and stay. */
static void keep_others(struct dns_check *c, struct dns_wanted *w,
			const struct dns_text_answer *found)
{
	w->keep = ARENA_NEW_ARRAY(c->a, struct str, found->count);
	for (size_t i = 0; i < found->count; i++)
		if (!spf_record_is(found->text[i]))
			w->keep[w->keep_count++] = found->text[i];
}

static bool is_plus_all(struct str word)
{
	return str_eq_nocase(word, STR("all")) || str_eq_nocase(word, STR("+all"));
}

/* The record with us in it: in front, so that whatever follows cannot come first. One that cannot
 * be read, or several, have to be written anew. */
static struct str better_record(struct dns_check *c, struct str record, size_t records)
{
	struct str rest = record, word;
	struct spf_record parsed;
	struct buf b;

	if (records != 1 || spf_record_parse(record, c->a, &parsed) < 0)
		return STR("v=spf1 mx -all");
	buf_init(&b, c->a, record.n + c->host.n + 16);
	str_next_word(&rest, &word);
	buf_printf(&b, "v=spf1 a:%" STR_FMT, STR_ARG(c->host));
	while (str_next_word(&rest, &word))
		buf_printf(&b, " %" STR_FMT, STR_ARG(is_plus_all(word) ? STR("-all") : word));
	return buf_str(&b);
}

static bool lets_all_pass(const struct spf_answer *a)
{
	return a->result == SPF_PASS && is_plus_all(a->mechanism);
}

static void say_spf(struct dns_check *c, struct dns_finding *f, struct str address,
		    const struct spf_answer *answer)
{
	dns_finding_say(f, c->a, "%" STR_FMT ": %s%s%" STR_FMT, STR_ARG(address),
			spf_result_name(answer->result),
			answer->reason || answer->mechanism.n ? ", " : "",
			STR_ARG(answer->reason ? str_from(answer->reason) : answer->mechanism));
}

/* The worst of what the record says of our addresses. */
static enum dns_state ask_spf(struct dns_check *c, struct str domain, struct dns_finding *f)
{
	enum dns_state worst = DNS_IS_RIGHT;

	for (size_t i = 0; i < c->address_count; i++) {
		const struct spf_question q = {
			.address = c->addresses[i],
			.sender = arena_printf(c->a, "postmaster@%" STR_FMT, STR_ARG(domain)),
			.helo = c->host,
			.receiver = c->host,
			.now = time(NULL),
		};
		struct spf_answer answer;
		if (spf_check_sender(&c->lookup, &q, c->a, &answer) < 0)
			return DNS_IS_UNKNOWN;
		say_spf(c, f, dns_check_address_text(c, c->addresses[i]), &answer);
		if (lets_all_pass(&answer))
			dns_finding_say(f, c->a, "+all lets everybody send in this name");
		enum dns_state state = answer.result == SPF_TEMPERROR ? DNS_IS_UNKNOWN
				       : answer.result == SPF_PASS && !lets_all_pass(&answer)
					       ? DNS_IS_RIGHT
					       : DNS_IS_WRONG;
		if (state > worst)
			worst = state;
	}
	return c->address_count ? worst : DNS_IS_UNKNOWN;
}

void dns_check_spf(struct dns_check *c, struct str domain, struct list *findings)
{
	struct dns_text_answer found;
	struct str record = STR_NONE;
	size_t records = 0;

	if (dns_find_txt(c->dns, domain, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "spf", domain, &found.answer))
		return;
	for (size_t i = 0; i < found.count; i++)
		if (spf_record_is(found.text[i])) {
			record = found.text[i];
			records++;
		}
	struct dns_finding *f = dns_finding_add(findings, c->a, "spf", DNS_IS_MISSING);
	struct str better = STR("v=spf1 mx -all");
	if (!records) {
		dns_finding_say(f, c->a, "nothing says who may send in the name of the domain");
	} else {
		if (!c->address_count)
			dns_finding_say(f, c->a, "the addresses of the server are not known");
		f->state = ask_spf(c, domain, f);
		if (records == 1)
			dns_finding_say(f, c->a, "%" STR_FMT, STR_ARG(record));
		better = better_record(c, record, records);
	}
	if (f->state == DNS_IS_MISSING || f->state == DNS_IS_WRONG) {
		if (records)
			dns_finding_say(f, c->a, "this record in the place of what is there");
		keep_others(c, dns_finding_want(f, c->a, domain, "TXT", better), &found);
	}
}

/* Each address that reports go to: the domain behind its '@'. */
static bool next_report(struct str *rua, struct str *domain)
{
	struct str word, size;

	while (dkim_tag_next(rua, ',', &word)) {
		str_cut(word, '!', &word, &size);
		ssize_t at = str_rfind_byte(word, '@');
		if (!str_starts_nocase(word, STR("mailto:")) || at < 0)
			continue;
		*domain = str_skip(word, (size_t)at + 1);
		return true;
	}
	return false;
}

/* RFC 7489 7.1: a domain of somebody else has to say that it wants reports about this one. */
static void may_suspend check_report_address(struct dns_check *c, struct str domain,
					     struct str other, struct list *findings)
{
	struct str name = arena_printf(c->a, "%" STR_FMT "._report._dmarc.%" STR_FMT,
				       STR_ARG(domain), STR_ARG(other));
	struct dns_text_answer found;
	bool wanted = false;

	if (public_suffix_is_one_owner(domain, other) ||
	    dns_find_txt(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "dmarc", name, &found.answer))
		return;
	for (size_t i = 0; i < found.count; i++)
		wanted |= str_starts_nocase(str_trim(found.text[i]), STR("v=DMARC1"));
	struct dns_finding *f =
		dns_finding_add(findings, c->a, "dmarc", wanted ? DNS_IS_RIGHT : DNS_IS_MISSING);
	dns_finding_say(f, c->a, "%" STR_FMT " %s reports about %" STR_FMT, STR_ARG(other),
			wanted ? "takes" : "does not say that it takes", STR_ARG(domain));
	if (!wanted)
		dns_finding_want(f, c->a, name, "TXT", STR("v=DMARC1"));
}

static void may_suspend check_reports(struct dns_check *c, struct str domain, struct str record,
				      struct list *findings)
{
	struct dkim_tags tags;
	struct str rua, other;

	if (dkim_tags_parse(record, &tags) < 0)
		return;
	rua = dkim_tags_value(&tags, STR("rua"));
	while (next_report(&rua, &other))
		check_report_address(c, domain, other, findings);
}

static void may_suspend want_dmarc(struct dns_check *c, struct str domain, struct str name,
				   struct list *findings)
{
	struct str record = arena_printf(c->a, "v=DMARC1; p=quarantine; rua=mailto:%" STR_FMT,
					 STR_ARG(dns_check_postmaster(c)));
	struct dns_finding *f = dns_finding_add(findings, c->a, "dmarc", DNS_IS_MISSING);

	dns_finding_say(f, c->a,
			"nothing says what is to be done with forged mail; p=none only asks for "
			"reports, p=reject refuses");
	dns_finding_want(f, c->a, name, "TXT", record);
	check_reports(c, domain, record, findings);
}

void dns_check_dmarc(struct dns_check *c, struct str domain, struct list *findings)
{
	struct str name = arena_printf(c->a, "_dmarc.%" STR_FMT, STR_ARG(domain));
	const struct dmarc_identifiers i = { .from = domain };
	struct dmarc_answer policy;
	struct dns_text_answer found;

	if (dmarc_check(&c->lookup, &i, c->a, &policy) < 0)
		return;
	if (policy.domain.n)
		name = arena_printf(c->a, "_dmarc.%" STR_FMT, STR_ARG(policy.domain));
	if (dns_find_txt(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "dmarc", name, &found.answer))
		return;
	if (!policy.domain.n && found.count) {
		struct dns_finding *f = dns_finding_add(findings, c->a, "dmarc", DNS_IS_WRONG);
		dns_finding_say(f, c->a,
				"%" STR_FMT " has %zu records, and not one that can be used",
				STR_ARG(name), found.count);
		return;
	}
	if (!policy.domain.n) {
		want_dmarc(c, domain, name, findings);
		return;
	}
	struct dns_finding *f = dns_finding_add(findings, c->a, "dmarc", DNS_IS_RIGHT);
	dns_finding_say(f, c->a, "%" STR_FMT ": policy %s", STR_ARG(name),
			dmarc_policy_name(policy.policy));
	for (size_t k = 0; k < found.count; k++) {
		struct dmarc_record parsed;
		if (dmarc_record_parse(found.text[k], &parsed) == 0)
			check_reports(c, policy.domain, found.text[k], findings);
	}
}
