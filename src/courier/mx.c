#include "courier/mx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/rand.h"
#include "courier/config.h"
#include "courier/own_addresses.h"
#include "courier/verdict.h"
#include "dns/dns_client.h"

/* Nobody needs more, and each could cost a question. */
#define MX_MAX 50

/* Addresses of one host that are looked at. */
#define ADDRESSES_MAX 16

static int compare(const void *pa, const void *pb)
{
	const struct mx_host *a = pa, *b = pb;

	if (a->preference != b->preference)
		return a->preference < b->preference ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* RFC 7505 3: "." is no host; bytes that no host name has make a record unusable. */
static bool set_name(struct mx_host *h, struct str name)
{
	if (!name.n || name.n > NEXTHOP_HOST_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	snprintf(h->name, sizeof(h->name), "%" STR_FMT, STR_ARG(name));
	str_lower_bytes(h->name, name.n);
	return true;
}

int mx_sort(const struct dns_mx *records, size_t n, struct mx_host *hosts, size_t max)
{
	size_t count = 0, roots = 0;

	for (size_t i = 0; i < n && count < max; i++) {
		struct mx_host h = { .preference = records[i].preference, .order = rand_u64() };
		roots += records[i].host.n == 0;
		if (set_name(&h, records[i].host))
			hosts[count++] = h;
	}
	if (count == 0)
		return roots ? -ENOENT : -EBADMSG;
	qsort(hosts, count, sizeof(*hosts), compare);
	return (int)count;
}

size_t mx_without(const struct mx_host *hosts, size_t n, struct str self)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_eq_nocase(str_from(hosts[i].name), self))
			continue;
		while (i && hosts[i - 1].preference == hosts[i].preference)
			i--;
		return i;
	}
	return n;
}

/* What an answer without records means. */
static int explain(const struct dns_answer *answer, const char *name, struct verdict *v)
{
	struct str reason = answer->reason;

	switch (answer->status) {
	case DNS_NXDOMAIN:
		verdict_set(v, COURIER_REFUSED, "5.1.2", "there is no domain %s", name);
		break;
	case DNS_NODATA:
		verdict_set(v, COURIER_REFUSED, "5.4.4", "%s has no address", name);
		break;
	case DNS_BOGUS:
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.3",
			    "the DNS's answer for %s is forged or damaged: %" STR_FMT, name,
			    STR_ARG(reason));
		v->trouble = COURIER_UNREACHABLE;
		break;
	default:
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.3",
			    "the DNS does not answer for %s: %" STR_FMT, name, STR_ARG(reason));
		v->trouble = COURIER_UNREACHABLE;
	}
	return -EHOSTUNREACH;
}

static int one_host(const struct mx_source *src, const char *name, bool secure, struct mx_list *out)
{
	struct mx_host *h = ARENA_NEW(src->arena, struct mx_host);

	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->canonical, sizeof(h->canonical), "%s", name);
	out->hosts = h;
	out->count = 1;
	out->secure = secure;
	return 0;
}

static int stopping(struct verdict *v)
{
	verdict_set(v, COURIER_TRY_AGAIN, "4.3.2", "this server is stopping");
	return -EHOSTUNREACH;
}

static int loops(const char *domain, struct verdict *v)
{
	verdict_set(v, COURIER_REFUSED, "5.4.6", "mail for %s loops back to myself", domain);
	return -EHOSTUNREACH;
}

static int may_suspend ask_mx(const struct mx_source *src, const char *domain, struct mx_list *out,
			      struct verdict *v)
{
	struct dns_mx_answer found;

	out->mx = true;
	int r = dns_find_mx(src->dns, str_from(domain), src->arena, &found);
	if (r < 0)
		return stopping(v);
	struct dns_answer answer = found.answer;
	/* RFC 5321 5.1: without MX the domain is its own host. */
	if (answer.status == DNS_NODATA)
		return str_eq_nocase(str_from(domain), src->config->fqdn)
			       ? loops(domain, v)
			       : one_host(src, domain, answer.secure, out);
	if (answer.status != DNS_FOUND)
		return explain(&answer, domain, v);

	out->hosts = ARENA_NEW_ARRAY(src->arena, struct mx_host, MX_MAX);
	r = mx_sort(found.mx, found.count, out->hosts, MX_MAX);
	if (r == -ENOENT)
		verdict_set(v, COURIER_REFUSED, "5.1.10", "%s does not accept mail (null MX)",
			    domain);
	else if (r < 0)
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.3", "the MX of %s cannot be read", domain);
	if (r < 0)
		return -EHOSTUNREACH;
	out->count = mx_without(out->hosts, (size_t)r, src->config->fqdn);
	out->secure = answer.secure;
	return out->count ? 0 : loops(domain, v);
}

int mx_find(const struct mx_source *src, const struct nexthop *n, struct mx_list *out,
	    struct verdict *v)
{
	unsigned char bytes[16];

	*out = (struct mx_list){ 0 };
	if (n->mx)
		return ask_mx(src, n->host, out, v);
	one_host(src, n->host, false, out);
	if (!n->local && !n->literal)
		return 0;
	struct mx_host *h = out->hosts;
	h->endpoints = ARENA_NEW(src->arena, struct endpoint);
	h->endpoint_count = 1;
	h->resolved = true;
	if (n->local)
		endpoint_set_path(h->endpoints, n->host);
	else if (inet_pton(AF_INET, n->host, bytes) == 1)
		endpoint_set_ip(h->endpoints, str_of(bytes, 4), src->port);
	else if (inet_pton(AF_INET6, n->host, bytes) == 1)
		endpoint_set_ip(h->endpoints, str_of(bytes, 16), src->port);
	return 0;
}

static void set_endpoints(const struct mx_source *src, struct mx_host *h,
			  const struct dns_address_answer *answer)
{
	const struct courier_config *config = src->config;
	size_t n = answer->count;

	h->endpoints = ARENA_NEW_ARRAY(src->arena, struct endpoint, ADDRESSES_MAX);
	for (size_t i = 0; i < n && h->endpoint_count < ADDRESSES_MAX; i++) {
		struct str bytes = answer->addresses[i].bytes;
		if (!(bytes.n == 4 && config->ipv4) && !(bytes.n == 16 && config->ipv6))
			continue;
		endpoint_set_ip(&h->endpoints[h->endpoint_count++], bytes, src->port);
		h->is_self |= own_addresses_has(bytes, src->port);
	}
	endpoints_sort(h->endpoints, h->endpoint_count);
}

static void may_suspend resolve(const struct mx_source *src, struct mx_host *h)
{
	struct dns_address_answer found;

	h->resolved = true;
	h->why = ARENA_NEW(src->arena, struct verdict);
	snprintf(h->canonical, sizeof(h->canonical), "%s", h->name);
	if (dns_find_addresses(src->dns, str_from(h->name), src->by_operator, src->arena, &found) <
	    0) {
		stopping(h->why);
		return;
	}
	struct dns_answer answer = found.answer;
	if (answer.status != DNS_FOUND) {
		explain(&answer, h->name, h->why);
		if (h->why->outcome != COURIER_REFUSED)
			return;
		/* A relay that is not there is a mistake of ours, which somebody will mend. */
		snprintf(h->why->status, sizeof(h->why->status), "5.4.4");
		if (src->by_operator)
			verdict_soften(h->why);
		return;
	}
	h->secure = answer.secure;
	if (answer.name.n && answer.name.n <= NEXTHOP_HOST_MAX)
		snprintf(h->canonical, sizeof(h->canonical), "%" STR_FMT, STR_ARG(answer.name));
	set_endpoints(src, h, &found);
	if (!h->endpoint_count)
		verdict_set(h->why, COURIER_TRY_AGAIN, "4.4.4",
			    "%s has no address of a family that is in use here", h->name);
}

bool mx_resolve(const struct mx_source *src, struct mx_list *list, size_t i)
{
	bool self = false;

	for (size_t k = i; k < list->count; k++) {
		struct mx_host *h = &list->hosts[k];
		if (h->preference != list->hosts[i].preference)
			break;
		if (!h->resolved)
			resolve(src, h);
		self |= h->is_self && list->mx;
	}
	return !self;
}
