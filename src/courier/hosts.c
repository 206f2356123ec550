#include "courier/hosts.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/metrics.h"
#include "courier/attempt.h"
#include "courier/client.h"
#include "courier/courier_state.h"
#include "courier/mx.h"
#include "courier/nexthop.h"
#include "courier/verdict.h"

#define SUBMISSIONS_PORT 465

struct route {
	struct courier *c;
	struct attempt *t;
	struct nexthop nexthop;
	struct mx_source source;
	struct mx_list list;
	struct str key;	   /* of the cache */
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

static int may_suspend open_session(struct route *r, struct client *client, struct verdict *v)
{
	(void)r;
	int e = client_greeting(client, v);
	return e < 0 ? e : client_hello(client, v);
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

static void may_suspend try_host(struct route *r, struct mx_host *h)
{
	unsigned max = r->c->config.sessions_max;
	struct verdict v;

	while (attempt_is_open(r->t) && has_untried(h) && r->sessions < max) {
		int k;
		struct client *client = connect_host(r, h, &k, &v);
		if (!client) {
			fail(r, &v);
			return;
		}
		if (open_session(r, client, &v) < 0) {
			r->t->relay = arena_str(r->t->arena, str_from(client->relay));
			r->sessions++;
			fail(r, &v);
			client_quit(client);
			continue;
		}
		h->endpoints[k].tried = !use_session(r, client);
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

void hosts_try(struct courier *c, struct attempt *t)
{
	struct route r = { .c = c, .t = t };
	struct client *client;
	struct verdict v;
	struct err err;

	if (nexthop_parse(t->in->nexthop, &r.nexthop, &err) < 0) {
		verdict_set(&v, COURIER_TRY_AGAIN, "4.3.5", "%s", err.text);
		fail(&r, &v);
		return;
	}
	r.key = t->in->nexthop;
	while (attempt_is_open(t) && (client = cache_take(&c->cache, r.key))) {
		metric_add(METRIC_COURIER_REUSED, 1);
		use_session(&r, client);
	}
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
