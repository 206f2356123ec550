#include "filter/dmarc.h"

#include <errno.h>

#include "base/arena.h"
#include "dns/idna.h"
#include "filter/dkim_tag.h"
#include "filter/lookup.h"
#include "filter/public_suffix.h"

/* Names that are asked for on the way up. */
#define WALK_MAX 8

const char *dmarc_result_name(enum dmarc_result r)
{
	static const char *const names[] = {
		[DMARC_NONE] = "none",		 [DMARC_PASS] = "pass",
		[DMARC_FAIL] = "fail",		 [DMARC_TEMPERROR] = "temperror",
		[DMARC_PERMERROR] = "permerror",
	};

	check((size_t)r < ARRAY_LEN(names));
	return names[r];
}

const char *dmarc_policy_name(enum dmarc_policy p)
{
	static const char *const names[] = {
		[DMARC_ACCEPT] = "none",
		[DMARC_QUARANTINE] = "quarantine",
		[DMARC_REJECT] = "reject",
	};

	check((size_t)p < ARRAY_LEN(names));
	return names[p];
}

static bool read_policy(struct str value, enum dmarc_policy *out)
{
	if (str_eq_nocase(value, STR("none")))
		*out = DMARC_ACCEPT;
	else if (str_eq_nocase(value, STR("quarantine")))
		*out = DMARC_QUARANTINE;
	else if (str_eq_nocase(value, STR("reject")))
		*out = DMARC_REJECT;
	else
		return false;
	return true;
}

/* RFC 7489 6.6.3: a record without a usable policy counts as p=none if it asks for reports. */
static bool read_policies(const struct dkim_tags *tags, struct dmarc_record *out)
{
	if (!read_policy(dkim_tags_value(tags, STR("p")), &out->policy)) {
		if (!dkim_tags_value(tags, STR("rua")).n && !dkim_tags_find(tags, STR("psd")))
			return false;
		out->policy = DMARC_ACCEPT;
	}
	out->subdomains = out->policy;
	(void)!read_policy(dkim_tags_value(tags, STR("sp")), &out->subdomains);
	out->nowhere = out->subdomains;
	(void)!read_policy(dkim_tags_value(tags, STR("np")), &out->nowhere);
	return true;
}

int dmarc_record_parse(struct str text, struct dmarc_record *out)
{
	struct dkim_tags tags;
	uint64_t percent;

	if (dkim_tags_parse(text, &tags) < 0 || !str_eq(tags.v[0].name, STR("v")) ||
	    !str_eq(tags.v[0].value, STR("DMARC1")))
		return -EINVAL;
	struct str psd = dkim_tags_value(&tags, STR("psd"));
	*out = (struct dmarc_record){
		.strict_dkim = str_eq_nocase(dkim_tags_value(&tags, STR("adkim")), STR("s")),
		.strict_spf = str_eq_nocase(dkim_tags_value(&tags, STR("aspf")), STR("s")),
		.percent = 100,
		.testing = str_eq_nocase(dkim_tags_value(&tags, STR("t")), STR("y")),
		.psd = psd.n == 1 && strchr("yn", ascii_lower(psd.p[0])) ? ascii_lower(psd.p[0])
									 : 'u',
		.wants_reports = dkim_tags_value(&tags, STR("rua")).n > 0,
	};
	if (str_to_u64(dkim_tags_value(&tags, STR("pct")), 100, &percent) == 0)
		out->percent = (unsigned)percent;
	return read_policies(&tags, out) ? 0 : -EINVAL;
}

/* What was found on the way up from a domain. */
struct walk {
	const struct lookup *dns;
	struct arena *arena;
	struct str organization; /* the organizational domain */
	struct str at;		 /* where the record that counts is; empty: there is none */
	struct dmarc_record record;
	bool said; /* a domain has said with psd= where organizations begin */
};

/* 1 when the domain has one record, 0, -EAGAIN when it cannot be found out, -ECANCELED. */
static int may_suspend find_record(struct walk *w, struct str domain, struct dmarc_record *out)
{
	struct str name = arena_printf(w->arena, "_dmarc.%" STR_FMT, STR_ARG(domain));
	struct lookup_answer answer;
	size_t n = 0;

	int r = lookup_find(w->dns, DNS_TXT, name, w->arena, &answer);
	if (r < 0)
		return r;
	if (answer.status == DNS_TEMPFAIL)
		return -EAGAIN;
	for (size_t i = 0; i < answer.n; i++) {
		struct dmarc_record record;
		if (dmarc_record_parse(answer.v[i], &record) < 0)
			continue;
		*out = record;
		n++;
	}
	return n == 1;
}

static size_t count_labels(struct str domain)
{
	size_t n = domain.n > 0;

	for (size_t i = 0; i < domain.n; i++)
		n += domain.p[i] == '.';
	return n;
}

static struct str drop_label(struct str domain)
{
	ssize_t dot = str_find_byte(domain, '.');

	return dot < 0 ? STR_NONE : str_skip(domain, (size_t)dot + 1);
}

/* The next name on the way up; long names are shortened at once. */
static struct str next_up(struct str domain)
{
	domain = drop_label(domain);
	while (count_labels(domain) >= WALK_MAX)
		domain = drop_label(domain);
	return domain;
}

/* Go up from a domain. What is nearest to the root names the organization, unless a record says
 * otherwise; the record of the domain itself counts, or else that of the organization. */
static int may_suspend walk_up(struct walk *w, struct str start)
{
	struct str below = start;
	struct dmarc_record record;

	w->organization = start;
	w->at = STR_NONE;
	w->said = false;
	for (struct str d = start; d.n; below = d, d = next_up(d)) {
		int r = find_record(w, d, &record);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		bool says = record.psd != 'u';
		bool is_suffix = d.p != start.p && (says ? record.psd == 'y' : public_suffix_is(d));
		bool keep = w->at.n && (is_suffix || w->at.p == start.p);
		w->organization = is_suffix ? below : d;
		if (!keep) {
			w->at = d;
			w->record = record;
		}
		w->said |= says;
		if (says || is_suffix)
			break;
	}
	return 0;
}

static bool is_at_or_below(struct str name, struct str domain)
{
	return str_eq_nocase(name, domain) || (name.n > domain.n && str_ends_nocase(name, domain) &&
					       name.p[name.n - domain.n - 1] == '.');
}

/* 1, 0 or an error as of find_record. */
static int may_suspend is_aligned(const struct walk *from, struct str from_domain,
				  struct str domain, bool strict)
{
	struct walk w = { .dns = from->dns, .arena = from->arena };

	if (str_eq_nocase(domain, from_domain))
		return 1;
	if (strict || !domain.n)
		return 0;
	bool below = is_at_or_below(domain, from->organization);
	bool listed = !from->said && public_suffix_is_one_owner(domain, from_domain);
	if (!below && !listed)
		return 0;
	int r = walk_up(&w, domain);
	if (r < 0)
		return r;
	/* Where nobody says it, RFC 7489 3.2 counts. */
	return (below && str_eq_nocase(w.organization, from->organization)) || (listed && !w.said);
}

/* 1 when one of the two is, 0, or an error as of find_record: then one of them may be. Both are
 * looked at, for the report. */
static int may_suspend check_alignment(const struct walk *w, const struct dmarc_identifiers *i,
				       struct dmarc_answer *out)
{
	int spf = is_aligned(w, i->from, i->spf, w->record.strict_spf), dkim = 0;

	for (size_t k = 0; k < i->dkim_count && dkim == 0 && spf != -ECANCELED; k++)
		dkim = is_aligned(w, i->from, i->dkim[k], w->record.strict_dkim);
	out->spf_aligned = spf > 0;
	out->dkim_aligned = dkim > 0;
	if (spf == -ECANCELED || dkim == -ECANCELED)
		return -ECANCELED;
	if (spf > 0 || dkim > 0)
		return 1;
	return spf < 0 ? spf : dkim;
}

/* Which of the three policies is about this domain? */
static int may_suspend choose_policy(const struct walk *w, struct str from, enum dmarc_policy *out)
{
	struct lookup_answer answer;

	*out = w->record.policy;
	if (str_eq_nocase(w->at, from))
		return 0;
	*out = w->record.subdomains;
	if (w->record.nowhere == w->record.subdomains)
		return 0;
	int r = lookup_find(w->dns, DNS_A, from, w->arena, &answer);
	if (r == 0 && answer.status == DNS_NXDOMAIN)
		*out = w->record.nowhere;
	return r;
}

/* RFC 7489 6.6.4: those that the percentage spares get the next weaker treatment. */
static enum dmarc_policy weaken(const struct dmarc_record *r, enum dmarc_policy p, unsigned chance)
{
	bool spared = r->testing || chance >= r->percent;

	return spared && p > DMARC_ACCEPT ? p - 1 : p;
}

static int undecided(int r, struct dmarc_answer *out)
{
	if (r == -ECANCELED)
		return r;
	out->result = DMARC_TEMPERROR;
	return 0;
}

/* RFC 8616 5: domains are compared as the DNS has them. What is no domain stays as it is, and is
 * nobody's. */
static struct str to_ascii(struct str domain, struct arena *a)
{
	struct str ascii;

	return idna_to_ascii(domain, a, &ascii) < 0 ? domain : ascii;
}

static struct dmarc_identifiers all_in_ascii(const struct dmarc_identifiers *i, struct arena *a)
{
	struct dmarc_identifiers out = *i;
	struct str *dkim = ARENA_NEW_ARRAY(a, struct str, i->dkim_count);

	out.from = to_ascii(i->from, a);
	out.spf = to_ascii(i->spf, a);
	for (size_t k = 0; k < i->dkim_count; k++)
		dkim[k] = to_ascii(i->dkim[k], a);
	out.dkim = dkim;
	return out;
}

int dmarc_check(const struct lookup *dns, const struct dmarc_identifiers *identifiers,
		struct arena *a, struct dmarc_answer *out)
{
	struct walk w = { .dns = dns, .arena = a };
	const struct dmarc_identifiers ascii = all_in_ascii(identifiers, a), *i = &ascii;

	*out = (struct dmarc_answer){ .result = DMARC_NONE };
	int r = walk_up(&w, i->from);
	if (r < 0)
		return undecided(r, out);
	if (!w.at.n)
		return 0;
	out->domain = w.at;
	out->record = w.record;
	r = choose_policy(&w, i->from, &out->policy);
	if (r < 0)
		return undecided(r, out);
	r = check_alignment(&w, i, out);
	if (r < 0 || (r == 0 && i->undecided))
		return undecided(r, out);
	out->result = r ? DMARC_PASS : DMARC_FAIL;
	if (!r)
		out->disposition = weaken(&w.record, out->policy, i->chance);
	return 0;
}
