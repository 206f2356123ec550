#include "smtp/mail_domain.h"

#include "base/arena.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "dns/dns_client.h"

/* A domain whose servers take longer is one that cannot be found out. */
#define DOMAIN_MS 5000

static bool is_answer(const struct dns_answer *a)
{
	return a->status != DNS_TEMPFAIL && a->status != DNS_BOGUS;
}

/* RFC 5321 5.1: without an MX record the domain itself is its server. */
static int may_suspend find(struct ipc_client *dns, struct str domain, struct arena *a,
			    enum smtp_domain_state *out)
{
	struct dns_mx_answer mx;
	struct dns_address_answer host;

	*out = SMTP_DOMAIN_UNKNOWN;
	int r = dns_find_mx(dns, domain, a, &mx);
	if (r < 0 || !is_answer(&mx.answer))
		return r;
	if (mx.count) {
		bool none = mx.count == 1 && !mx.mx[0].host.n;
		*out = none ? SMTP_DOMAIN_WITHOUT_MAIL : SMTP_DOMAIN_FOUND;
		return 0;
	}
	r = dns_find_addresses(dns, domain, false, a, &host);
	if (r == 0 && is_answer(&host.answer))
		*out = host.count ? SMTP_DOMAIN_FOUND : SMTP_DOMAIN_MISSING;
	return r;
}

int smtp_mail_domain_find(struct ipc_client *dns, struct str domain, enum smtp_domain_state *out)
{
	auto_arena struct arena a = ARENA_INIT;
	int64_t limit = fiber_limit_begin(loop_deadline(DOMAIN_MS));
	int r = find(dns, domain, &a, out);

	fiber_limit_end(limit);
	return r;
}
