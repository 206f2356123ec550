#include "courier/tls_policy.h"

static void need(struct tls_decision *d, enum tls_need n, const char *status, const char *why)
{
	d->need = n;
	d->status = status;
	d->why = why;
}

/* RFC 8689 4.2.1: the name of the host and its certificate must both be proven. */
static void decide_requiretls(const struct tls_facts *f, struct tls_decision *d)
{
	bool proven = !f->mx || f->mx_secure || (f->sts != TLS_STS_NONE && f->sts_match);

	d->final = true;
	if (proven)
		need(d, TLS_NEED_AUTHORITY, "5.7.30", "REQUIRETLS");
	else
		need(d, TLS_NEED_OTHER_HOST, "5.7.30",
		     "REQUIRETLS: nothing proves that this is the host of the domain");
}

void tls_decide(const struct tls_facts *f, struct tls_decision *d)
{
	*d = (struct tls_decision){ .status = "4.7.4", .why = "" };

	/* RFC 7672 2.2: a host whose records cannot be had is treated as if it could not be
	 * reached; an attacker could have suppressed them. */
	if (f->dane == TLS_DANE_FAILED) {
		need(d, TLS_NEED_OTHER_HOST, "4.7.5", "DANE: the TLSA records cannot be had");
		return;
	}
	/* RFC 8461 2: MTA-STS does not override DANE. */
	if (f->dane == TLS_DANE_USABLE) {
		need(d, TLS_NEED_DANE, "4.7.5", "DANE");
		d->final = f->requiretls;
		return;
	}
	if (f->sts == TLS_STS_ENFORCE && !f->sts_match) {
		need(d, TLS_NEED_OTHER_HOST, "4.7.5",
		     "MTA-STS: the policy does not name this host");
		return;
	}
	if (f->requiretls) {
		decide_requiretls(f, d);
		return;
	}
	d->testing = f->sts == TLS_STS_TESTING;
	if (f->sts == TLS_STS_ENFORCE)
		need(d, TLS_NEED_AUTHORITY, "4.7.5", "MTA-STS");
	else if (f->credentials && f->verify_relay)
		need(d, TLS_NEED_AUTHORITY, "4.7.5", "POSTHORN_RELAY_VERIFY");
	else if (f->dane == TLS_DANE_UNUSABLE)
		need(d, TLS_NEED_TLS, "4.7.4", "DANE"); /* RFC 7672 2.2: unauthenticated */
	else if (f->credentials)
		need(d, TLS_NEED_TLS, "4.7.4", "a password is to be sent");
	else if (f->required)
		need(d, TLS_NEED_TLS, "4.7.4", "POSTHORN_TLS_REQUIRED");
	else if (f->remembered && f->refuse_downgrade)
		need(d, TLS_NEED_TLS, "4.7.4", "the server had TLS before");
}
