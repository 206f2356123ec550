/* Where mail programs of the domain's users find the server: RFC 6186, RFC 8314 5.1. */
#include "base/arena.h"
#include "core/settings.h"
#include "dns/dns_client.h"
#include "setup/dns_check.h"

struct client_service {
	const char *name;
	uint16_t port;
	bool offered;
};

static struct str srv_text(struct dns_check *c, const struct dns_srv *r)
{
	return arena_printf(c->a, "%u %u %u %" STR_FMT, r->priority, r->weight, r->port,
			    STR_ARG(r->target));
}

/* 1: it is a record of ours; 0: it is not; -EAGAIN. */
static int may_suspend is_right(struct dns_check *c, const struct client_service *s,
				const struct dns_srv *r)
{
	if (!r->target.n || r->port != s->port)
		return 0;
	return str_eq_nocase(r->target, c->host) ? 1 : dns_check_leads_here(c, r->target);
}

static void may_suspend check_service(struct dns_check *c, const struct client_service *s,
				      struct str domain, struct list *findings)
{
	struct str name = arena_printf(c->a, "%s.%" STR_FMT, s->name, STR_ARG(domain));
	struct dns_srv_answer found;
	int right = 0;

	if (dns_find_srv(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "clients", name, &found.answer))
		return;
	for (size_t i = 0; i < found.count && right <= 0; i++)
		right = is_right(c, s, &found.srv[i]);
	struct dns_finding *f = dns_finding_add(findings, c->a, "clients",
						right > 0     ? DNS_IS_RIGHT
						: right < 0   ? DNS_IS_UNKNOWN
						: found.count ? DNS_IS_WRONG
							      : DNS_IS_ADVISED);
	dns_finding_say(f, c->a, "%" STR_FMT, STR_ARG(name));
	for (size_t i = 0; i < found.count; i++)
		dns_finding_say(f, c->a, "%" STR_FMT "%s", STR_ARG(srv_text(c, &found.srv[i])),
				found.srv[i].target.n ? "" : "(not offered)");
	if (right)
		return;
	dns_finding_say(f, c->a,
			found.count ? "none of them is this server at port %u"
				    : "mail programs have to be told the server, port %u",
			s->port);
	dns_finding_want(f, c->a, name, "SRV",
			 arena_printf(c->a, "0 1 %u %" STR_FMT, s->port, STR_ARG(c->host)));
}

void dns_check_clients(struct dns_check *c, struct str domain, struct list *findings)
{
	bool mailboxes = !c->set->smtp_only;
	const struct client_service services[] = {
		{ "_submissions._tcp", 465, true },
		{ "_imaps._tcp", 993, mailboxes && c->set->enable_imap },
		{ "_pop3s._tcp", 995, mailboxes && c->set->enable_pop3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (services[i].offered)
			check_service(c, &services[i], domain, findings);
}
