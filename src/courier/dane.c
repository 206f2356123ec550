#include "courier/dane.h"

#include "base/arena.h"
#include "courier/mx.h"
#include "dns/dns_client.h"

/* More than any key rollover needs. */
#define TLSA_MAX 32

static void may_suspend ask(struct ipc_client *dns, const char *base, uint16_t port,
			    struct arena *a, struct dane *out)
{
	struct str name = arena_printf(a, "_%u._tcp.%s", port, base);
	struct dns_tlsa_answer found;

	*out = (struct dane){ .state = TLS_DANE_FAILED, .base = base };
	if (dns_find_tlsa(dns, name, a, &found) < 0)
		return;
	if (found.answer.status == DNS_TEMPFAIL || found.answer.status == DNS_BOGUS)
		return;
	out->state = TLS_DANE_NONE;
	if (found.answer.status != DNS_FOUND || !found.answer.secure)
		return;
	out->state = TLS_DANE_UNUSABLE;
	out->records = ARENA_NEW_ARRAY(a, struct tls_dane, TLSA_MAX);
	for (size_t i = 0; i < found.count && out->count < TLSA_MAX; i++) {
		struct tls_dane d = { found.tlsa[i].usage, found.tlsa[i].selector,
				      found.tlsa[i].matching, found.tlsa[i].data };
		if (tls_dane_is_usable(&d))
			out->records[out->count++] = d;
	}
	if (out->count)
		out->state = TLS_DANE_USABLE;
}

void dane_find(struct ipc_client *dns, const struct mx_host *h, uint16_t port, struct arena *a,
	       struct dane *out)
{
	struct str canonical = str_from(h->canonical), name = str_from(h->name);

	*out = (struct dane){ .state = TLS_DANE_NONE, .base = h->name };
	/* 2.2.2: without proof of the addresses nobody needs to ask, and a zone that is not signed
	 * may have servers that do not answer for TLSA. */
	if (!h->secure)
		return;
	/* 2.2.3: where the alias leads first, then the name itself. */
	if (!str_eq_nocase(canonical, name))
		ask(dns, h->canonical, port, a, out);
	if (out->state == TLS_DANE_NONE)
		ask(dns, h->name, port, a, out);
}
