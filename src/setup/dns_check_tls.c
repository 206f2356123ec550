/* What makes sure that mail comes here encrypted, and to us: DANE, MTA-STS, reports about them, and
 * who may make certificates. */
#include <errno.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/settings.h"
#include "courier/config.h"
#include "courier/https.h"
#include "courier/sts_policy.h"
#include "dns/dns_client.h"
#include "setup/dns_check.h"

#define TLSA_MAX 64
#define FETCH_MS 20000

static struct str hex(struct dns_check *c, struct str bytes)
{
	struct buf b;

	buf_init(&b, c->a, 2 * bytes.n + 1);
	for (size_t i = 0; i < bytes.n; i++)
		buf_printf(&b, "%02x", (unsigned char)bytes.p[i]);
	return buf_str(&b);
}

static bool matches(struct dns_check *c, const struct dns_tlsa *t, struct str der, struct str key)
{
	struct str digest = dns_certificate_digest(t->selector ? key : der, t->matching, c->a);

	return digest.n && str_eq(digest, t->data);
}

/* RFC 7672 3.1: only DANE-TA(2) and DANE-EE(3) count for SMTP. */
static bool vouches(struct dns_check *c, const struct dns_tlsa *t,
		    const struct dns_certificate *cert)
{
	if (t->selector > 1 || t->matching > 2)
		return false;
	if (t->usage == 3)
		return matches(c, t, cert->der, cert->spki);
	for (size_t i = 0; t->usage == 2 && i < cert->chain_count; i++)
		if (matches(c, t, cert->chain[i], cert->chain_keys[i]))
			return true;
	return false;
}

static struct str tlsa_text(struct dns_check *c, const struct dns_tlsa *t)
{
	return arena_printf(c->a, "%u %u %u %" STR_FMT, t->usage, t->selector, t->matching,
			    STR_ARG(hex(c, t->data)));
}

static struct str tlsa_wanted(struct dns_check *c, const struct dns_certificate *cert)
{
	return arena_printf(c->a, "3 1 1 %" STR_FMT,
			    STR_ARG(hex(c, dns_certificate_digest(cert->spki, 1, c->a))));
}

static void check_certificate(struct dns_check *c, const struct dns_certificate *cert,
			      struct str name, const struct dns_tlsa_answer *found,
			      struct list *findings)
{
	const struct dns_tlsa *by = NULL;

	for (size_t i = 0; i < found->count && !by; i++)
		if (vouches(c, &found->tlsa[i], cert))
			by = &found->tlsa[i];
	struct dns_finding *f = dns_finding_add(findings, c->a, "dane",
						by	       ? DNS_IS_RIGHT
						: found->count ? DNS_IS_WRONG
							       : DNS_IS_ADVISED);
	if (by) {
		dns_finding_say(f, c->a, "%" STR_FMT ": %" STR_FMT " is our certificate",
				STR_ARG(name), STR_ARG(tlsa_text(c, by)));
		return;
	}
	dns_finding_say(f, c->a, "%" STR_FMT ": %s", STR_ARG(name),
			found->count
				? "no record fits our certificate, so that others do not deliver "
				  "to us"
				: "there is no record, and the zone is signed: others could be "
				  "sure that it is us");
	dns_finding_want(f, c->a, name, "TLSA", tlsa_wanted(c, cert));
}

void dns_check_dane(struct dns_check *c, struct str host, struct list *findings)
{
	struct str name = arena_printf(c->a, "_25._tcp.%" STR_FMT, STR_ARG(host));
	struct dns_address_answer addresses;
	struct dns_tlsa_answer found;
	struct dns_finding *f;

	if (dns_find_addresses(c->dns, host, false, c->a, &addresses) < 0 ||
	    dns_check_failed(c, findings, "dane", host, &addresses.answer) ||
	    dns_find_tlsa(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "dane", name, &found.answer))
		return;
	if (!addresses.answer.secure || !found.answer.secure) {
		f = dns_finding_add(findings, c->a, "dane", DNS_IS_ADVISED);
		dns_finding_say(
			f, c->a,
			"the zone of %" STR_FMT " is not signed (DNSSEC): there is no DANE%s",
			STR_ARG(host),
			found.count ? ", and the TLSA records that are there do not count" : "");
		return;
	}
	if (c->certificate_count < 0) {
		f = dns_finding_add(findings, c->a, "dane", DNS_IS_UNKNOWN);
		dns_finding_say(f, c->a, "our certificate cannot be read: %s",
				c->certificate_error.text);
	}
	for (int i = 0; i < c->certificate_count; i++)
		check_certificate(c, &c->certificates[i], name, &found, findings);
}

/* Whom a CAA record names, by the organization in certificates. */
static struct str authority_of(struct str issuer)
{
	static const struct {
		struct str organization, domain;
	} known[] = {
		{ STR_INIT("Let's Encrypt"), STR_INIT("letsencrypt.org") },
		{ STR_INIT("ZeroSSL"), STR_INIT("sectigo.com") },
		{ STR_INIT("Sectigo"), STR_INIT("sectigo.com") },
		{ STR_INIT("Google Trust Services"), STR_INIT("pki.goog") },
		{ STR_INIT("DigiCert"), STR_INIT("digicert.com") },
		{ STR_INIT("Buypass"), STR_INIT("buypass.com") },
		{ STR_INIT("GlobalSign"), STR_INIT("globalsign.com") },
		{ STR_INIT("SSL Corp"), STR_INIT("ssl.com") },
		{ STR_INIT("Actalis"), STR_INIT("actalis.it") },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_starts_nocase(issuer, known[i].organization))
			return known[i].domain;
	return STR_NONE;
}

/* RFC 8659 3: the nearest on the way up; what aliases lead to is not looked at. 0 or -EAGAIN. */
static int may_suspend find_caa(struct dns_check *c, struct str host, struct str *at,
				struct dns_caa_answer *found, struct list *findings)
{
	struct str label, rest = host;

	for (*at = host; at->n; *at = rest) {
		if (dns_find_caa(c->dns, *at, c->a, found) < 0 ||
		    dns_check_failed(c, findings, "caa", *at, &found->answer))
			return -EAGAIN;
		if (found->count)
			return 0;
		str_cut(*at, '.', &label, &rest);
	}
	return 0;
}

static bool issues(const struct dns_caa *r, struct str authority)
{
	struct str domain, parameters;

	if (!str_eq_nocase(r->tag, STR("issue")))
		return false;
	str_cut(r->value, ';', &domain, &parameters);
	return str_eq_nocase(str_trim(domain), authority);
}

static struct str caa_text(struct dns_check *c, const struct dns_caa *r)
{
	return arena_printf(c->a, "%u %" STR_FMT " \"%" STR_FMT "\"", r->flags, STR_ARG(r->tag),
			    STR_ARG(r->value));
}

void dns_check_caa(struct dns_check *c, struct str host, struct list *findings)
{
	struct str authority =
		c->certificate_count > 0 ? authority_of(c->certificates[0].issuer) : STR_NONE;
	struct dns_caa_answer found = { .count = 0 };
	bool allowed = false, limited = false;
	struct str at;

	if (find_caa(c, host, &at, &found, findings) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		limited |= str_eq_nocase(found.caa[i].tag, STR("issue"));
		allowed |= authority.n && issues(&found.caa[i], authority);
	}
	bool wrong = limited && authority.n && !allowed;
	struct dns_finding *f = dns_finding_add(findings, c->a, "caa",
						wrong	  ? DNS_IS_WRONG
						: limited ? DNS_IS_RIGHT
							  : DNS_IS_ADVISED);
	for (size_t i = 0; i < found.count; i++)
		dns_finding_say(f, c->a, "%" STR_FMT ": %" STR_FMT, STR_ARG(at),
				STR_ARG(caa_text(c, &found.caa[i])));
	if (!limited)
		dns_finding_say(f, c->a, "any authority may make certificates for %" STR_FMT,
				STR_ARG(host));
	if (wrong)
		dns_finding_say(f, c->a,
				"our certificate is of %" STR_FMT
				", which may not make the next one",
				STR_ARG(authority));
	if ((wrong || !limited) && authority.n)
		dns_finding_want(
			f, c->a, wrong ? at : host, "CAA",
			arena_printf(c->a, "0 issue \"%" STR_FMT "\"", STR_ARG(authority)));
}

static int may_suspend fetch_policy(struct dns_check *c, struct str domain,
				    struct sts_policy *policy, struct err *err)
{
	const struct courier_config config = courier_config_from_settings(c->set);
	const struct https_client client = { &config, c->dns, c->roots };
	struct str host = arena_printf(c->a, "mta-sts.%" STR_FMT, STR_ARG(domain)), text;
	const struct https_question q = { .host = host.p,
					  .path = "/.well-known/mta-sts.txt",
					  .max = STS_POLICY_SIZE,
					  .port = config.sts_port };

	int64_t limit = fiber_limit_begin(loop_deadline(FETCH_MS));
	int r = https_get(&client, &q, c->a, &text, err);
	fiber_limit_end(limit);
	return r < 0 ? r : sts_policy_parse(text, c->a, policy, err);
}

/* RFC 8461 4.1: a host that the policy does not name gets no mail. */
static void may_suspend check_policy_hosts(struct dns_check *c, struct str domain,
					   const struct sts_policy *policy, struct dns_finding *f)
{
	struct dns_mx_answer found;

	if (dns_find_mx(c->dns, domain, c->a, &found) < 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		if (sts_policy_names(policy, found.mx[i].host))
			continue;
		f->state = DNS_IS_WRONG;
		dns_finding_say(f, c->a,
				"the policy does not name %" STR_FMT ", add \"mx: %" STR_FMT
				"\" to it",
				STR_ARG(found.mx[i].host), STR_ARG(found.mx[i].host));
	}
}

static struct str new_id(struct dns_check *c)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
	return arena_printf(c->a, "v=STSv1; id=%s", text);
}

static void advise_sts(struct dns_check *c, struct str domain, struct str name, bool have_policy,
		       struct list *findings)
{
	struct dns_finding *f = dns_finding_add(findings, c->a, "mta-sts", DNS_IS_ADVISED);

	if (have_policy) {
		dns_finding_say(f, c->a,
				"https://mta-sts.%" STR_FMT
				" has a policy that nobody looks for without this record",
				STR_ARG(domain));
	} else {
		dns_finding_say(
			f, c->a,
			"nothing makes others use TLS. A web server has to have "
			"https://mta-sts.%" STR_FMT "/.well-known/mta-sts.txt with the lines "
			"\"version: STSv1\", \"mode: testing\" (later enforce), \"mx: %" STR_FMT
			"\" and \"max_age: 604800\"; then this record",
			STR_ARG(domain), STR_ARG(c->host));
	}
	dns_finding_want(f, c->a, name, "TXT", new_id(c))->later = !have_policy;
}

void dns_check_sts(struct dns_check *c, struct str domain, struct list *findings)
{
	static const char *const modes[] = { [TLS_STS_NONE] = "none",
					     [TLS_STS_TESTING] = "testing",
					     [TLS_STS_ENFORCE] = "enforce" };
	struct str name = arena_printf(c->a, "_mta-sts.%" STR_FMT, STR_ARG(domain)), id;
	struct dns_text_answer found;
	struct sts_policy policy;
	struct err err = { 0 };

	if (dns_find_txt(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "mta-sts", name, &found.answer))
		return;
	int r = fetch_policy(c, domain, &policy, &err);
	if (!found.count) {
		advise_sts(c, domain, name, r == 0, findings);
		return;
	}
	struct dns_finding *f = dns_finding_add(findings, c->a, "mta-sts", DNS_IS_RIGHT);
	if (!sts_id_find(found.text, found.count, &id)) {
		f->state = DNS_IS_WRONG;
		dns_finding_say(f, c->a, "%" STR_FMT " cannot be read", STR_ARG(name));
		dns_finding_want(f, c->a, name, "TXT", new_id(c));
	}
	if (r < 0) {
		f->state = DNS_IS_WRONG;
		dns_finding_say(
			f, c->a,
			"the record is there, and not the policy at https://mta-sts.%" STR_FMT
			"/.well-known/mta-sts.txt: %s",
			STR_ARG(domain), err.text);
		return;
	}
	dns_finding_say(f, c->a, "mode %s for %u s", modes[policy.mode], policy.max_age);
	if (policy.mode != TLS_STS_NONE)
		check_policy_hosts(c, domain, &policy, f);
}

void dns_check_tls_rpt(struct dns_check *c, struct str domain, struct list *findings)
{
	struct str name = arena_printf(c->a, "_smtp._tls.%" STR_FMT, STR_ARG(domain));
	struct str record = STR_NONE;
	struct dns_text_answer found;
	size_t records = 0;

	if (dns_find_txt(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "tls-rpt", name, &found.answer))
		return;
	for (size_t i = 0; i < found.count; i++)
		if (str_starts(found.text[i], STR("v=TLSRPTv1"))) {
			record = found.text[i];
			records++;
		}
	/* RFC 8460 3: of several none counts. */
	bool right = records == 1 && str_find(record, STR("rua=")) >= 0;
	struct dns_finding *f = dns_finding_add(findings, c->a, "tls-rpt",
						right	      ? DNS_IS_RIGHT
						: found.count ? DNS_IS_WRONG
							      : DNS_IS_ADVISED);
	if (right)
		dns_finding_say(f, c->a, "%" STR_FMT, STR_ARG(record));
	else if (found.count)
		dns_finding_say(f, c->a,
				"%" STR_FMT " has no record, or more than one, that can be "
				"used",
				STR_ARG(name));
	else
		dns_finding_say(f, c->a, "nobody tells us when TLS with this server fails");
	if (!right)
		dns_finding_want(f, c->a, name, "TXT",
				 arena_printf(c->a, "v=TLSRPTv1; rua=mailto:%" STR_FMT,
					      STR_ARG(dns_check_postmaster(c))));
}
