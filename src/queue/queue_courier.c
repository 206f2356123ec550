/* Mail to other servers: calls to the courier, as many as their destinations bear, and what comes
 * of them. */
#include <errno.h>
#include <stdlib.h>

#include "core/log.h"
#include "courier/courier.h"
#include "courier/courier_ipc.h"
#include "queue/queue_state.h"

/* Recipients that one transaction takes (RFC 5321 4.5.3.1.8). */
#define RECIPIENTS_MAX 100

/* A courier that crashes is back within seconds. */
#define AWAY_MS 60000

/* A message that takes the courier down with it must not do so for ever. */
#define LOST_MAX 3

/* Until somebody has ended. */
#define SPAWN_PAUSE 1000

/* A call on its way; its jobs are in no list meanwhile. */
struct call {
	struct queue *queue;
	struct queue_destination *destination;
	struct queue_active *active;
	size_t count;
	struct queue_job *jobs[RECIPIENTS_MAX];
};

static const struct envelope_recipient *recipient_of(const struct queue_job *job)
{
	return &job->active->envelope.recipients[job->recipient];
}

static void job_done(struct queue *q, struct queue_job *job)
{
	struct queue_active *active = job->active;

	queue_room_leave(q, &job->destination->room);
	queue_active_release(q, active);
}

/* Nobody is there: not tried, and not before somebody may be. */
static void put_off(struct queue *q, struct queue_job *job)
{
	auto_arena struct arena a = ARENA_INIT;
	struct queue_destination *d = job->destination;
	struct queue_outcome o = {
		.relay = STR("none"),
		.status = STR("4.4.1"),
		.text = arena_printf(&a, "delivery temporarily suspended: %s",
				     q->courier_away ? "the courier is not running" : d->reason),
	};

	if (q->courier_away)
		job->active->entry->no_worker = true;
	else if (job->active->not_before < d->dead_until)
		job->active->not_before = d->dead_until;
	job->busy = !q->courier_away && d->rest_pause;
	if (queue_is_expired(q, job->active))
		queue_refused(q, job, &o);
	else
		queue_try_later(q, job, &o);
}

/* Also for those that wait: they make place for others. */
static void put_off_all(struct queue *q, struct queue_destination *d)
{
	struct queue_job *jobs[RECIPIENTS_MAX];

	while (queue_destination_has_jobs(d)) {
		size_t n = queue_destination_take(q, d, jobs, RECIPIENTS_MAX);
		for (size_t i = 0; i < n; i++) {
			put_off(q, jobs[i]);
			job_done(q, jobs[i]);
		}
	}
}

void queue_courier_add(struct queue *q, struct queue_job *job)
{
	struct queue_destination *d = job->destination;

	queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_ACTIVE);
	job->active->busy++;
	queue_room_enter(&d->room);
	if (queue_destination_is_dead(d) || q->courier_away) {
		put_off(q, job);
		job_done(q, job);
	} else {
		queue_destination_add(q, d, job);
	}
}

/* Rewritten where one of them was forwarded; for the others, whom a trusted program of somebody
 * else's domain named itself, it does no harm. */
static struct str reverse_path(const struct call *c)
{
	const struct queue_active *active = c->active;

	for (size_t i = 0; i < c->count && active->forwarder.n; i++) {
		const struct envelope_recipient *r = recipient_of(c->jobs[i]);
		if (!str_eq_nocase(r->address, r->original))
			return active->forwarder;
	}
	return active->envelope.sender;
}

static void fill_request(const struct call *c, struct arena *a, struct courier_deliver_in *in)
{
	const struct queue_entry *e = c->active->entry;
	const struct envelope *envelope = &c->active->envelope;

	*in = (struct courier_deliver_in){
		.id = e->id,
		.nexthop = c->destination->nexthop,
		.sender = reverse_path(c),
		.flags = envelope->flags,
		.envid = envelope->envid,
		.submitter = envelope->flags & ENVELOPE_SUBMITTER ? envelope->auth_user : STR_NONE,
		.segment = e->segment->fd,
		.offset = queue_entry_content_offset(e),
		.length = queue_entry_content_length(e),
		.recipients = ARENA_NEW_ARRAY(a, struct courier_recipient, c->count),
		.recipients_count = c->count,
	};
	for (size_t i = 0; i < c->count; i++) {
		const struct envelope_recipient *r = recipient_of(c->jobs[i]);
		in->recipients[i] = (struct courier_recipient){
			.address = r->address,
			.orcpt = r->orcpt,
			.notify = (uint8_t)r->notify,
		};
	}
}

/* 0, or why nobody knows what came of it. */
static int may_suspend ask(struct call *c, struct arena *a, struct courier_deliver_out *out,
			   struct err *err)
{
	struct courier_deliver_in in;

	fill_request(c, a, &in);
	int r = courier_deliver(c->queue->courier, &in, a, out, err);
	if (r >= 0 && out->results_count == c->count)
		return 0;
	/* It may still be reading the segment. */
	c->active->entry->segment->no_reuse = true;
	return r < 0 ? r
		     : err_set(err, -EPROTO, "the courier answered for %zu recipients of %zu",
			       out->results_count, c->count);
}

/* RFC 3461 5.2.2: a server that takes reports over tells the sender itself. */
static void tell_success(struct queue_job *job, bool taken_over, const struct queue_outcome *o)
{
	bool final = str_starts(job->destination->nexthop, STR("lmtp:"));

	if (!taken_over)
		queue_tell(job, final ? DSN_DELIVERED : DSN_RELAYED, o);
}

static void settle_job(struct call *c, struct queue_job *job, const struct courier_result *result,
		       const struct queue_outcome *o, bool dsn)
{
	struct queue *q = c->queue;
	struct queue_entry *e = job->active->entry;

	if (result->outcome == COURIER_DELIVERED) {
		queue_log_outcome(q, job, QUEUE_SENT, o);
		/* What another server has is not there to be looked up: the mark does not wait. */
		queue_finish_recipient(q, e, job->recipient);
		tell_success(job, dsn, o);
	} else if (result->outcome == COURIER_REFUSED || queue_is_expired(q, job->active)) {
		queue_suppress(q, job, o);
		queue_refused(q, job, o);
	} else {
		queue_try_later(q, job, o);
	}
}

/* A busy host is no trouble where another has taken all that there was. */
static int trouble_of(const struct courier_deliver_out *out)
{
	if (out->trouble != COURIER_BUSY)
		return out->trouble;
	for (size_t i = 0; i < out->results_count; i++)
		if (out->results[i].outcome == COURIER_TRY_AGAIN)
			return COURIER_BUSY;
	return -1;
}

static void settle_all(struct call *c, const struct courier_deliver_out *out)
{
	for (size_t i = 0; i < c->count; i++) {
		struct queue_outcome o = {
			.relay = out->relay,
			.tls = out->tls,
			.status = out->results[i].status,
			.text = out->results[i].text,
		};
		c->jobs[i]->busy = out->trouble == COURIER_BUSY;
		settle_job(c, c->jobs[i], &out->results[i], &o, out->dsn);
	}
}

/* It may have been delivered or not: later, and perhaps twice. */
static void settle_unknown(struct queue *q, struct queue_job *job, const struct err *err)
{
	struct queue_outcome o = { .relay = STR("none"),
				   .status = STR("4.3.0"),
				   .text = str_from(err->text) };

	queue_try_later(q, job, &o);
	job_done(q, job);
}

static void all_done(struct call *c)
{
	for (size_t i = 0; i < c->count; i++)
		job_done(c->queue, c->jobs[i]);
}

static void give_back(struct call *c, const struct err *err)
{
	queue_destination_end(c->queue, c->destination, -1, STR_NONE);
	for (size_t i = 0; i < c->count; i++)
		settle_unknown(c->queue, c->jobs[i], err);
}

/* The courier has died. Whatever it was doing waits at its destination for the next one. */
static void wait_again(struct call *c, const struct err *err)
{
	struct queue *q = c->queue;
	struct queue_destination *d = c->destination;

	queue_destination_end(q, d, -1, STR_NONE);
	for (size_t i = 0; i < c->count; i++) {
		if (++c->jobs[i]->lost < LOST_MAX)
			queue_destination_add(q, d, c->jobs[i]);
		else
			settle_unknown(q, c->jobs[i], err);
	}
	if (queue_destination_is_dead(d) || q->courier_away)
		put_off_all(q, d);
}

/* A person has held or deleted the message while it waited for its turn. */
static void withdraw(struct call *c)
{
	queue_destination_end(c->queue, c->destination, -1, STR_NONE);
	for (size_t i = 0; i < c->count; i++)
		queue_entry_set_rcpt(c->active->entry, c->jobs[i]->recipient, QUEUE_RCPT_DEFERRED);
	all_done(c);
}

static void may_suspend deliver(struct call *c)
{
	struct queue *q = c->queue;
	struct queue_destination *d = c->destination;
	auto_arena struct arena a = ARENA_INIT;
	struct courier_deliver_out out = { 0 };
	struct err err = { 0 };

	if (queue_entry_is_withdrawn(c->active->entry)) {
		withdraw(c);
		return;
	}
	int r = ask(c, &a, &out, &err);
	/* When the queue stops, queue_stop frees the jobs. */
	if (r == -ECANCELED)
		return;
	if (r < 0) {
		if (r == -EPIPE)
			wait_again(c, &err);
		else
			give_back(c, &err);
		return;
	}
	queue_destination_end(q, d, trouble_of(&out), out.results[0].text);
	settle_all(c, &out);
	all_done(c);
	queue_notes_post(q);
	if (queue_destination_is_dead(d))
		put_off_all(q, d);
}

static void call_run(void *arg)
{
	struct call *c = arg;
	struct queue *q = c->queue;

	deliver(c);
	free(c);
	queue_ended(q);
}

static int may_suspend start_call(struct queue *q, struct queue_destination *d)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		check_no_memory();
	c->queue = q;
	c->destination = d;
	c->count = queue_destination_take(q, d, c->jobs, RECIPIENTS_MAX);
	c->active = c->jobs[0]->active;
	queue_destination_begin(q, d);
	q->in_flight++;
	int r = fiber_spawn(&q->fibers, "courier call", call_run, c);
	if (r == 0)
		return 0;
	struct err err;
	err_set(&err, r, "too many fibers");
	give_back(c, &err);
	free(c);
	queue_ended(q);
	return fiber_sleep(SPAWN_PAUSE);
}

/* All mail for other servers makes place for the mail that can be delivered. */
static void send_away(struct queue *q)
{
	struct map *m = &q->destinations.senders;

	q->courier_away = true;
	for (struct map_slot *s = map_next(m, NULL); s; s = map_next(m, NULL))
		put_off_all(q, ((const struct queue_sender *)s->value)->key.destination);
}

static int may_suspend wait_for_courier(struct queue *q)
{
	int64_t deadline = q->courier_away ? LOOP_FOREVER : loop_deadline(AWAY_MS);
	int r = 0;

	while (r == 0 && !ipc_client_connected(q->courier))
		r = waitq_wait(&q->courier_work, "the courier", deadline);
	if (r == -ETIMEDOUT && !ipc_client_connected(q->courier))
		send_away(q);
	return r == -ETIMEDOUT ? 0 : r;
}

unsigned queue_courier_calls(const struct queue *q)
{
	const unsigned *n = q->destinations.in_flight;

	return n[QUEUE_UNPROVEN] + n[QUEUE_PROVEN];
}

void queue_courier_attached(struct queue *q)
{
	waitq_wake_one(&q->courier_work);
	if (!q->courier_away)
		return;
	q->courier_away = false;
	queue_retry_all(q, true);
}

void queue_courier_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		if (!ipc_client_connected(q->courier)) {
			r = wait_for_courier(q);
			continue;
		}
		struct queue_destination *d = q->draining ? NULL : queue_destination_next(q);
		r = d ? start_call(q, d)
		      : waitq_wait(&q->courier_work, "mail for other servers", LOOP_FOREVER);
	}
}
