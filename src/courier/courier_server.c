#include "courier/courier_server.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/tls_client.h"
#include "courier/attempt.h"
#include "courier/cache.h"
#include "courier/courier_state.h"
#include "courier/hosts.h"
#include "courier/sts.h"
#include "courier/tls_memory.h"
#include "courier/verdict.h"

struct courier *courier_start(const struct courier_config *config)
{
	struct courier *c = calloc(1, sizeof(*c));
	struct err err;

	if (!c)
		check_no_memory();
	c->config = *config;
	group_init(&c->fibers);
	c->dns = ipc_client_new("resolver", &c->fibers);
	c->auth = ipc_client_new("auth", &c->fibers);
	if (tls_roots_new(config->ca_file, &c->roots, &err) < 0)
		log_event(LOG_COURIER_ROOTS, LOG_REASON(&err));
	c->memory = tls_memory_new(config->dir);
	if (config->sts)
		c->sts = sts_new(config->dir);
	delivered_init(&c->delivered);
	cache_init(&c->cache, config->cache_max, config->cache_idle);
	return c;
}

void courier_attach_dns(struct courier *c, int fd)
{
	ipc_client_attach(c->dns, fd);
}

void courier_attach_auth(struct courier *c, int fd)
{
	ipc_client_attach(c->auth, fd);
}

void courier_stop(struct courier *c)
{
	ipc_client_close(c->dns);
	ipc_client_close(c->auth);
	group_done(&c->fibers);
	ipc_client_free(c->dns);
	ipc_client_free(c->auth);
	cache_done(&c->cache);
	delivered_done(&c->delivered);
	tls_roots_free(c->roots);
	sts_free(c->sts);
	tls_memory_free(c->memory);
	free(c);
}

void courier_report(const struct courier *c)
{
	metric_set(METRIC_COURIER_IDLE, c->cache.count);
}

static void attempt_init(struct attempt *t, struct courier *c, struct courier_deliver_in *in,
			 struct arena *a)
{
	struct verdict v;

	*t = (struct attempt){
		.config = &c->config,
		.in = in,
		.arena = a,
		.results = ARENA_NEW_ARRAY(a, struct courier_result, in->recipients_count),
		.recipients = ARENA_NEW_ARRAY(a, struct attempt_recipient, in->recipients_count),
		.body = { in->segment, in->offset, in->length },
		.block = arena_alloc(a, in->length < BODY_BLOCK ? (size_t)in->length : BODY_BLOCK),
		.trouble = COURIER_UNREACHABLE,
		.relay = STR("none"),
	};
	verdict_set(&v, COURIER_TRY_AGAIN, "4.4.1", "no server of the destination was tried");
	attempt_fail(t, &v);
	for (size_t i = 0; i < in->recipients_count; i++)
		t->recipients[i].failed = false;
}

/* A call with what is known of it. */
struct job {
	const struct courier_deliver_in *in;
	struct arena *arena;
	struct delivered_call call;
};

/* Recipients that were not delivered before; the others, which are `known`, have their results. */
static struct courier_deliver_in without_delivered(struct courier *c, const struct job *job,
						   bool *known, struct courier_deliver_out *out)
{
	const struct courier_deliver_in *in = job->in;
	struct arena *a = job->arena;
	struct courier_deliver_in rest = *in;

	out->results = ARENA_NEW_ARRAY(a, struct courier_result, in->recipients_count);
	out->results_count = in->recipients_count;
	rest.recipients = ARENA_NEW_ARRAY(a, struct courier_recipient, in->recipients_count);
	rest.recipients_count = 0;
	for (size_t i = 0; i < in->recipients_count; i++) {
		const struct courier_result *r = delivered_find(&c->delivered, job->call.keys[i]);
		known[i] = r != NULL;
		if (r)
			out->results[i] = (struct courier_result){
				.outcome = r->outcome,
				.status = arena_str(a, r->status),
				.text = arena_str(a, r->text),
			};
		else
			rest.recipients[rest.recipients_count++] = in->recipients[i];
	}
	return rest;
}

static void fill_results(struct courier *c, const struct job *job, const bool *known,
			 const struct courier_result *results, struct courier_deliver_out *out)
{
	for (size_t i = 0, n = 0; i < job->call.count; i++) {
		if (known[i])
			continue;
		out->results[i] = results[n++];
		delivered_add(&c->delivered, job->call.keys[i], &out->results[i]);
	}
}

static void may_suspend attempt(struct courier *c, const struct job *job,
				struct courier_deliver_out *out)
{
	bool *known = ARENA_NEW_ARRAY(job->arena, bool, job->call.count);
	struct courier_deliver_in rest = without_delivered(c, job, known, out);
	struct attempt t;

	out->relay = STR("none");
	if (rest.recipients_count == 0)
		return;
	int64_t begin = loop_now();
	metric_add(METRIC_COURIER_ATTEMPTS, 1);
	attempt_init(&t, c, &rest, job->arena);
	int64_t limit = fiber_limit_begin(loop_deadline(c->config.times.attempt));
	hosts_try(c, &t);
	fiber_limit_end(limit);
	metric_observe(METRIC_COURIER_TIME, (uint64_t)(loop_now() - begin));
	attempt_done(&t);
	fill_results(c, job, known, t.results, out);
	out->relay = t.relay;
	out->tls = t.tls;
	out->trouble = (uint8_t)t.trouble;
	out->dsn = t.dsn;
}

static int may_suspend deliver(void *ctx, struct courier_deliver_in *in, struct arena *a,
			       struct courier_deliver_out *out, struct err *err)
{
	struct courier *c = ctx;
	struct job job = { .in = in, .arena = a };
	(void)err;

	int r = delivered_begin(&c->delivered, &job.call, in, a);
	if (r < 0)
		return r;
	attempt(c, &job, out);
	delivered_end(&c->delivered, &job.call);
	return 0;
}

struct ipc_server courier_ipc_server(struct courier *c)
{
	static const struct courier_ops ops = { .deliver = deliver };

	return (struct ipc_server){ .service = &courier_service, .ops = &ops, .ctx = c };
}
