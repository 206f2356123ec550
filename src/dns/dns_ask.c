/* One question: who is asked, and whether DNSSEC has a say. */
#include <errno.h>

#include "base/arena.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/settings.h"
#include "dns/dns_server_private.h"

#define TYPE_DNSKEY 48

/* Forwarders that do not pass DNSSEC are tried again after this. */
#define STRIPPED_MS (5 * 60 * 1000)

static bool is_within_an_anchor(const struct dns_name *name)
{
	const struct dns_server *s = &dns_server;

	for (size_t i = 0; i < s->anchor_count; i++)
		if (s->anchors[i].n > 1 && dns_name_is_within(name, &s->anchors[i]))
			return true;
	return false;
}

/* RFC 6761, RFC 6762, RFC 8375 and ICANN's list of names that collide. The root zone proves that
 * most of these do not exist, so that whatever a forwarder says of them would be bogus. */
bool dns_name_is_private(const struct dns_name *name)
{
	static const char *const domains[] = { "local", "localdomain", "internal", "intranet",
					       "lan",	"private",     "corp",	   "home",
					       "test",	"invalid",     "home.arpa" };
	struct dns_name domain;

	if (name->n > 1 && name->n == 2 + (size_t)name->bytes[0])
		return true;
	for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
		check(dns_name_from_text(str_from(domains[i]), &domain) == 0);
		if (dns_name_is_within(name, &domain))
			return !is_within_an_anchor(name);
	}
	return false;
}

static void log_answer(struct str name, uint32_t type, const struct dns_outcome *o, int64_t began)
{
	static const char *const words[] = {
		[DNS_FOUND] = "found",	   [DNS_NODATA] = "nodata", [DNS_NXDOMAIN] = "nxdomain",
		[DNS_TEMPFAIL] = "failed", [DNS_BOGUS] = "bogus",
	};

	log_event(LOG_DNS_ANSWER, LOG_STR("name", name), LOG_INT("type", type),
		  LOG_CSTR("status", words[o->reply.status]), LOG_INT("count", o->reply.count),
		  LOG_INT("secure", o->secure), LOG_INT("ms", loop_now() - began),
		  LOG_STR("reason", o->reason));
}

/* Where port 53 is closed, mail would be late and nobody know why: one line says what to do. */
static void note_silence(const struct dns_outcome *o)
{
	struct dns_server *s = &dns_server;

	if (o->reply.status != DNS_TEMPFAIL) {
		s->heard |= !o->cached;
		return;
	}
	if (s->heard || s->forwarder_count || s->silence_logged)
		return;
	log_event(LOG_DNS_SILENT, LOG_STR("reason", o->reason));
	s->silence_logged = true;
}

/* 0, or what dns_context_ask says; in any case *out is filled. */
static int may_suspend ask_slot(struct dns_slot *slot, struct str name, uint32_t type,
				struct arena *a, struct dns_outcome *out)
{
	int64_t began = loop_now();
	struct dns_question q = { name, type, loop_deadline(dns_server.config.timeout) };

	int r = dns_slot_get(slot, q.deadline, out);
	if (r < 0)
		return r;
	r = dns_context_ask(slot->context, &q, a, out);
	if (out->cached)
		metric_add(METRIC_DNS_CACHED, 1);
	metric_observe(METRIC_DNS_TIME, (uint64_t)(loop_now() - began));
	log_answer(name, type, out, began);
	if (slot == &dns_server.world && r != -ECANCELED)
		note_silence(out);
	return r;
}

/* Only the end of the fiber is a failure to its caller. */
static int only_cancelled(int r)
{
	return r == -ECANCELED ? r : 0;
}

int dns_ask_plain(struct str name, uint32_t type, struct arena *a, struct dns_outcome *out)
{
	return only_cancelled(ask_slot(&dns_server.plain, name, type, a, out));
}

static bool validates_if_it_can(void)
{
	const struct dns_server *s = &dns_server;

	return s->forwarder_count && s->anchor_count && s->config.dnssec == SETTING_DNSSEC_AUTO;
}

/* Something is bogus. Is it one domain, or do the forwarders leave out signatures altogether? Then
 * not even the key of the trust anchor can be had. */
static int may_suspend check_stripped(struct arena *a)
{
	struct dns_server *s = &dns_server;
	struct str anchor = dns_name_write(&s->anchors[0], a);
	struct dns_outcome key;

	int r = ask_slot(&s->world, anchor, TYPE_DNSKEY, a, &key);
	if (r < 0 || (key.reply.status == DNS_FOUND && key.secure))
		return only_cancelled(r);
	if (!s->stripped_until)
		log_event(LOG_DNS_STRIPPED, LOG_STR("servers", s->config.servers),
			  LOG_STR("reason", key.reason));
	s->stripped_until = loop_deadline(STRIPPED_MS);
	return 0;
}

static bool is_stripped(void)
{
	return dns_server.stripped_until > loop_now();
}

/* An IP address is no name, though it has the letters of one: no server is asked about it. */
static bool is_no_name(struct str name, struct arena *a, struct dns_name *parsed)
{
	return dns_name_from_text(name, parsed) < 0 || address_bytes(name, a).n;
}

int dns_ask_world(struct str name, uint32_t type, struct arena *a, struct dns_outcome *out)
{
	struct dns_server *s = &dns_server;
	struct dns_name parsed;

	if (is_no_name(name, a, &parsed)) {
		*out = (struct dns_outcome){ .reply.status = DNS_NXDOMAIN };
		return 0;
	}
	if (s->forwarder_count && (dns_name_is_private(&parsed) || is_stripped()))
		return dns_ask_plain(name, type, a, out);

	int r = only_cancelled(ask_slot(&s->world, name, type, a, out));
	if (r < 0 || out->reply.status != DNS_BOGUS || !validates_if_it_can())
		return r;
	r = check_stripped(a);
	return r == 0 && is_stripped() ? dns_ask_plain(name, type, a, out) : r;
}
