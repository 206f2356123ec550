#include "setup/dns_check.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/arena.h"
#include "core/settings.h"
#include "dns/dns_client.h"

bool dns_check_failed(struct dns_check *c, struct list *findings, const char *check,
		      struct str question, const struct dns_answer *answer)
{
	bool bogus = answer->status == DNS_BOGUS;

	if (!bogus && answer->status != DNS_TEMPFAIL)
		return false;
	struct dns_finding *f =
		dns_finding_add(findings, c->a, check, bogus ? DNS_IS_WRONG : DNS_IS_UNKNOWN);
	dns_finding_say(f, c->a, "%" STR_FMT ": %s%" STR_FMT, STR_ARG(question),
			bogus ? "its signatures (DNSSEC) are not right: " : "",
			STR_ARG(answer->reason));
	return true;
}

struct str dns_check_address_text(struct dns_check *c, struct str bytes)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(bytes.n == 4 ? AF_INET : AF_INET6, bytes.p, text, sizeof(text));
	return arena_str(c->a, str_from(text));
}

bool dns_check_is_ours(const struct dns_check *c, struct str bytes)
{
	for (size_t i = 0; i < c->address_count; i++)
		if (str_eq(c->addresses[i], bytes))
			return true;
	return false;
}

int dns_check_leads_here(struct dns_check *c, struct str name)
{
	struct dns_address_answer found;

	if (dns_find_addresses(c->dns, name, false, c->a, &found) < 0)
		return -EAGAIN;
	if (found.answer.status == DNS_TEMPFAIL || found.answer.status == DNS_BOGUS)
		return -EAGAIN;
	for (size_t i = 0; i < found.count; i++)
		if (dns_check_is_ours(c, found.addresses[i].bytes))
			return 1;
	return 0;
}

struct str dns_check_postmaster(struct dns_check *c)
{
	return c->set->postmaster_address;
}
