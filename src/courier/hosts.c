#include "courier/hosts.h"

#include <errno.h>
#include <stdio.h>

#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "courier/attempt.h"
#include "courier/client.h"
#include "courier/courier_state.h"
#include "courier/mx.h"
#include "courier/nexthop.h"
#include "courier/session.h"
#include "courier/sts.h"
#include "courier/tls_memory.h"
#include "courier/verdict.h"
#include "queue/envelope.h"

#define SUBMISSIONS_PORT 465

/* How long auth's word that there are no logins is believed: account files are read as often. */
#define NO_LOGINS_MS 2000

struct route {
	struct courier *c;
	struct attempt *t;
	struct nexthop nexthop;
	struct mx_source source;
	struct mx_list list;
	struct str key; /* of the cache */
	struct str user, password;
	bool sts_known;
	struct sts_policy sts;
	unsigned sessions; /* that came to nothing */
};

static void sweep(void *arg)
{
	struct courier *c = arg;

	cache_sweep(&c->cache);
	c->cache.sweeping = false;
}

static void may_suspend keep_or_quit(struct route *r, struct client *client)
{
	struct courier *c = r->c;
	uint64_t max = c->config.connection_messages;

	if (client->caps.mail_max && client->caps.mail_max < max)
		max = client->caps.mail_max;
	if (client->closing || client->messages >= max || fiber_is_cancelled()) {
		client_quit(client);
		return;
	}
	cache_put(&c->cache, r->key, client);
	if (!c->cache.sweeping)
		c->cache.sweeping = fiber_spawn(&c->fibers, "cache", sweep, c) == 0;
}

static void remember_server(struct attempt *t, const struct client *client)
{
	t->relay = arena_str(t->arena, str_from(client->relay));
	t->tls = arena_str(t->arena, str_from(client->tls_text));
	t->dsn = client_offers(client, COURIER_DSN);
}

/* The session answers. True when it did all it could, and could do more for others if it were
 * opened again. */
static bool may_suspend use_session(struct route *r, struct client *client)
{
	struct attempt *t = r->t;
	bool progress = false, more = false;

	for (size_t i = 0; i < t->in->recipients_count; i++)
		t->recipients[i].tried = t->recipients[i].settled;
	remember_server(t, client);
	bool reused = client->reused;
	int e = transactions_run(client, t);
	for (size_t i = 0; i < t->in->recipients_count; i++) {
		progress |= t->recipients[i].tried;
		more |= !t->recipients[i].tried;
	}
	/* One that has died in the cache says nothing about the destination. */
	if (e < 0 && reused && client->reused) {
		client_free(client);
		return false;
	}
	more = more && progress && e == 0;
	if (t->trouble != COURIER_BUSY)
		t->trouble = COURIER_FINE;
	r->sessions += !more;
	keep_or_quit(r, client);
	return more;
}

/* A connection to one of the addresses that were not tried yet; NULL when none can be had. */
static struct client *may_suspend connect_host(struct route *r, struct mx_host *h, int *endpoint,
					       struct verdict *v)
{
	struct err err;
	int fd;

	int k = *endpoint =
		endpoints_connect(&r->c->config, h->endpoints, h->endpoint_count, &fd, &err);
	if (k < 0) {
		verdict_set(v, COURIER_TRY_AGAIN, "4.4.1", "connect to %s[%s]:%u: %s", h->name,
			    h->endpoints[0].text, r->source.port, err.text);
		v->trouble = COURIER_UNREACHABLE;
		return NULL;
	}
	metric_add(METRIC_COURIER_CONNECTIONS, 1);
	struct client_peer peer = { .host = h->name,
				    .address = h->endpoints[k].text,
				    .port = r->source.port,
				    .lmtp = r->nexthop.lmtp };
	h->endpoints[k].tried = true;
	return client_new(&r->c->config, fd, &peer);
}

static bool has_untried(const struct mx_host *h)
{
	for (size_t i = 0; i < h->endpoint_count; i++)
		if (!h->endpoints[i].tried)
			return true;
	return false;
}

static void fail(struct route *r, const struct verdict *v)
{
	log_event(LOG_COURIER_FAILED, LOG_CSTR("reason", v->text));
	attempt_fail(r->t, v);
	if (r->t->trouble == COURIER_UNREACHABLE)
		r->t->trouble = v->trouble;
}

/* RFC 8689 3: for this message the recipient's policies do not count. */
static bool tls_is_optional(const struct route *r)
{
	return r->t->in->flags & ENVELOPE_TLS_OPTIONAL;
}

/* RFC 8461 2: only where DANE does not decide, and only for hosts that MX records name. */
static void may_suspend ask_sts(struct route *r, const struct mx_host *h, struct tls_facts *facts)
{
	if (!r->c->sts || !r->list.mx || facts->dane == TLS_DANE_USABLE || tls_is_optional(r))
		return;
	if (!r->sts_known)
		sts_find(r->c, str_from(r->nexthop.host), r->t->arena, &r->sts);
	r->sts_known = true;
	facts->sts = r->sts.mode;
	facts->sts_match = sts_policy_names(&r->sts, str_from(h->name));
}

/* Who the host must prove to be, and how. */
static void may_suspend make_wish(struct route *r, const struct mx_host *h, struct session_wish *w)
{
	const struct courier_config *config = &r->c->config;
	struct tls_facts facts = {
		.mx = r->list.mx,
		.mx_secure = r->list.secure,
		.requiretls = r->t->in->flags & ENVELOPE_REQUIRETLS,
		.credentials = r->user.n > 0,
		.verify_relay = config->relay_verify,
		.required = config->tls_required && !r->nexthop.local,
		.remembered = tls_memory_had_tls(r->c->memory, str_from(h->name)),
		.refuse_downgrade = config->refuse_downgrade,
	};

	*w = (struct session_wish){
		.implicit = r->source.port == SUBMISSIONS_PORT,
		.roots = r->c->roots,
		.user = r->user,
		.password = r->password,
	};
	w->dane.base = h->name;
	/* RFC 7672 2.2.1: records of a host that anybody could have named prove nothing. */
	bool may = config->dane && !r->nexthop.lmtp && !tls_is_optional(r);
	if (may && (!r->list.mx || r->list.secure))
		dane_find(r->c->dns, h, r->source.port, r->t->arena, &w->dane);
	facts.dane = w->dane.state;
	ask_sts(r, h, &facts);
	tls_decide(&facts, &w->tls);
	w->names[w->name_count++] = w->tls.need == TLS_NEED_DANE ? w->dane.base : h->name;
	/* RFC 7672 3.2.2: a certificate may also name the domain, or the host before its alias. */
	if (w->tls.need == TLS_NEED_DANE) {
		w->names[w->name_count++] = h->name;
		w->names[w->name_count++] = r->nexthop.host;
	}
}

/* What TLS came to, for the next time and for reports. */
static void remember_tls(struct route *r, const struct mx_host *h, const struct client *client,
			 const struct session_wish *w)
{
	struct tls_session_result result = {
		.domain = str_from(r->nexthop.host),
		.relay = str_from(client->relay),
		.policy = w->dane.state != TLS_DANE_NONE ? "tlsa"
			  : r->sts.mode != TLS_STS_NONE	 ? "sts"
							 : NULL,
		.result = client->tls_result,
	};

	if (r->list.mx && result.policy && result.result)
		tls_memory_note(r->c->memory, &result);
	if (client->tls)
		tls_memory_add(r->c->memory, str_from(h->name));
	else if (tls_memory_had_tls(r->c->memory, str_from(h->name)))
		log_event(LOG_COURIER_DOWNGRADE, LOG_CSTR("relay", client->relay));
}

static void may_suspend try_host(struct route *r, struct mx_host *h)
{
	unsigned max = r->c->config.sessions_max;
	struct session_wish wish;
	struct verdict v;
	int k;

	make_wish(r, h, &wish);
	if (wish.tls.need == TLS_NEED_OTHER_HOST) {
		verdict_set(&v, wish.tls.final ? COURIER_REFUSED : COURIER_TRY_AGAIN,
			    wish.tls.status, "%s (%s)", wish.tls.why, h->name);
		v.trouble = COURIER_UNREACHABLE;
		fail(r, &v);
		return;
	}
	while (attempt_is_open(r->t) && has_untried(h) && r->sessions < max) {
		struct client *client = connect_host(r, h, &k, &v);
		if (!client) {
			fail(r, &v);
			return;
		}
		int e = session_open(client, &wish, &v);
		remember_tls(r, h, client, &wish);
		if (e == 0) {
			h->endpoints[k].tried = !use_session(r, client);
			continue;
		}
		r->t->relay = arena_str(r->t->arena, str_from(client->relay));
		client_quit(client);
		if (e == -EAGAIN && !wish.plain) {
			wish.plain = true;
			h->endpoints[k].tried = false;
			continue;
		}
		r->sessions++;
		fail(r, &v);
	}
}

static void fail_loop(struct route *r)
{
	struct verdict v;

	verdict_set(&v, COURIER_REFUSED, "5.4.6", "mail for %s loops back to myself",
		    r->nexthop.host);
	fail(r, &v);
}

static void may_suspend try_hosts(struct route *r)
{
	unsigned max = r->c->config.hosts_max, tried = 0;

	for (size_t i = 0; i < r->list.count && tried < max; i++) {
		struct mx_host *h = &r->list.hosts[i];
		if (!attempt_is_open(r->t) || r->sessions >= r->c->config.sessions_max)
			return;
		if (!h->resolved && !mx_resolve(&r->source, &r->list, i)) {
			if (i == 0)
				fail_loop(r);
			return;
		}
		if (!h->endpoint_count) {
			fail(r, h->why);
			continue;
		}
		tried++;
		try_host(r, h);
	}
}

/* The login for this next hop, if there is one. */
static int may_suspend find_login(struct route *r, struct verdict *v)
{
	struct courier *c = r->c;
	struct auth_relay_login_in in = { .sender = r->t->in->sender, .nexthop = r->nexthop.text };
	struct auth_relay_login_out out;
	struct err err;

	if (r->nexthop.lmtp || loop_now() < c->no_logins_until)
		return 0;
	int e = auth_relay_login(c->auth, &in, r->t->arena, &out, &err);
	if (e < 0) {
		verdict_set(v, COURIER_TRY_AGAIN, "4.3.0", "the logins of relays cannot be read");
		return e;
	}
	if (out.none)
		c->no_logins_until = loop_deadline(NO_LOGINS_MS);
	r->user = out.user;
	r->password = out.password;
	return 0;
}

/* Sessions may be shared by messages that want the same of them. */
static struct str make_key(const struct route *r)
{
	const struct courier_deliver_in *in = r->t->in;
	const char *wish = in->flags & ENVELOPE_REQUIRETLS ? "REQUIRETLS"
			   : tls_is_optional(r)		   ? "TLS-Required: No"
							   : "";

	return arena_printf(r->t->arena, "%" STR_FMT "\n%" STR_FMT "\n%s", STR_ARG(in->nexthop),
			    STR_ARG(r->user), wish);
}

static void may_suspend use_kept_sessions(struct route *r)
{
	struct client *client;

	while (attempt_is_open(r->t) && (client = cache_take(&r->c->cache, r->key))) {
		metric_add(METRIC_COURIER_REUSED, 1);
		use_session(r, client);
	}
}

void hosts_try(struct courier *c, struct attempt *t)
{
	struct route r = { .c = c, .t = t };
	struct verdict v;
	struct err err;

	int e = nexthop_parse(t->in->nexthop, &r.nexthop, &err);
	if (e < 0) {
		if (e == -EILSEQ)
			verdict_set(&v, COURIER_REFUSED, "5.1.2", "%s", err.text);
		else
			verdict_set(&v, COURIER_TRY_AGAIN, "4.3.5", "%s", err.text);
		fail(&r, &v);
		return;
	}
	if (find_login(&r, &v) < 0) {
		fail(&r, &v);
		return;
	}
	r.key = make_key(&r);
	use_kept_sessions(&r);
	if (!attempt_is_open(t))
		return;
	r.source = (struct mx_source){
		.config = &c->config,
		.dns = c->dns,
		.arena = t->arena,
		.port = r.nexthop.port	 ? r.nexthop.port
			: r.nexthop.lmtp ? 24
					 : c->config.port,
		.by_operator = !r.nexthop.mx,
	};
	if (mx_find(&r.source, &r.nexthop, &r.list, &v) < 0)
		fail(&r, &v);
	else
		try_hosts(&r);
}
