#include "queue/queue_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "core/metrics.h"
#include "core/work.h"
#include "queue/queue_ipc.h"
#include "queue/queue_state.h"

#define HEAD_MAX 65536

int64_t queue_now_usec(const struct queue *q)
{
	return q->start_usec + (loop_now() - q->start_ms) * 1000;
}

void queue_ended(struct queue *q)
{
	check(q->in_flight > 0);
	q->in_flight--;
	if (q->in_flight == 0 || q->draining)
		waitq_wake_all(&q->quiet);
}

static void accepted(struct queue *q, struct queue_append *a)
{
	struct queue_entry *e = a->entry;

	if (a->append.result < 0) {
		queue_entries_remove(&q->entries, e);
		return;
	}
	metric_add(METRIC_QUEUE_ENTERED, 1);
	e->crc = a->append.crc;
	queue_entry_place(e, a->append.segment, a->append.offset);
	queue_dispatch(q, e);
}

/* The record outlives the caller: it has copies of its own. */
static struct queue_append *new_record(const struct queue_message *m)
{
	struct queue_append *a = queue_append_new(JOURNAL_MESSAGE, m->id);
	struct buf envelope;

	buf_init(&envelope, &a->arena, ENVELOPE_SIZE_MAX);
	envelope_write(m->envelope, &envelope);
	check(!buf_failed(&envelope));
	a->append.envelope_length = (uint32_t)envelope.n;
	a->append.recipient_count = (uint32_t)m->envelope->recipient_count;
	queue_append_piece(a, journal_piece_bytes(buf_str(&envelope)));
	queue_append_piece(a, journal_piece_bytes(arena_str(&a->arena, m->head)));
	a->body = m->body;
	if (m->body >= 0)
		queue_append_piece(a, journal_piece_file(m->body, 0, m->body_size));
	return a;
}

int queue_accept(struct queue *q, const struct queue_message *m, struct err *err)
{
	auto_close int body = m->body;

	if (m->head.n > HEAD_MAX || m->body_size > JOURNAL_PAYLOAD_MAX / 2)
		return err_set(err, -E2BIG, "message too large for the journal");
	int r = envelope_check(m->envelope, err);
	if (r < 0)
		return r;
	struct queue_entry *e =
		queue_entries_add(&q->entries, m->id, (uint32_t)m->envelope->recipient_count);
	if (!e)
		return err_set(err, -EEXIST, "the id is in use");

	struct queue_append *a = new_record(m);
	take_fd(&body); /* the record's now */
	a->entry = e;
	e->source = queue_source_key(q, m->envelope);
	a->committed = accepted;
	e->envelope_length = a->append.envelope_length;
	e->length = journal_append_length(&a->append);
	if (m->finished_count)
		queue_mark_with(q, m->id, m->finished, m->finished_count);
	r = queue_commit_wait(&q->commit, a);
	if (r == 0)
		queue_history_received(q, m);
	return r < 0 ? err_set(err, r, "journal: %s", strerror(-r)) : 0;
}

static void take_envelope(const struct queue_submit_in *in, struct arena *a, struct envelope *e)
{
	*e = (struct envelope){
		.flags = in->flags,
		.sender = in->sender,
		.envid = in->envid,
		.auth_user = in->auth_user,
		.client_name = in->client_name,
		.client_address = in->client_address,
		.helo = in->helo,
		.recipients = ARENA_NEW_ARRAY(a, struct envelope_recipient, in->recipients_count),
		.recipient_count = in->recipients_count,
	};
	for (size_t i = 0; i < e->recipient_count; i++) {
		const struct queue_recipient *r = &in->recipients[i];
		e->recipients[i] = (struct envelope_recipient){
			.kind = r->kind,
			.notify = r->notify,
			.address = r->address,
			.account = r->account,
			.original = r->original,
			.orcpt = r->orcpt,
		};
	}
}

/* What the front says is a memfd may be anything: only memory is read without a thread. */
static int take_large_envelope(const struct queue_submit_in *in, struct arena *a,
			       struct envelope *e, struct err *err)
{
	size_t n = (size_t)in->envelope_size;

	if (in->envelope_size > ENVELOPE_SIZE_MAX)
		return err_set(err, -E2BIG, "envelope: %zu bytes", n);
	if (fcntl(in->envelope, F_GET_SEALS) < 0)
		return err_set(err, -EINVAL, "envelope: not in memory");
	char *bytes = arena_alloc(a, n);
	if (fd_pread_all(in->envelope, bytes, n, 0) != (ssize_t)n)
		return err_set(err, -EINVAL, "envelope: cut short");
	int r = envelope_parse(str_of(bytes, n), a, e, err);
	return r < 0 ? (err->code = -EINVAL) : 0;
}

static int may_suspend op_submit(void *ctx, struct queue_submit_in *in, struct arena *a,
				 struct queue_submit_out *out, struct err *err)
{
	struct queue *q = ctx;
	struct envelope envelope;
	struct queue_message m = {
		.id = in->id,
		.envelope = &envelope,
		.head = in->head,
		.body_size = in->body_size,
		.message_id = in->message_id,
	};
	(void)out;

	if (q->draining)
		return err_set(err, -EAGAIN, "the queue is stopping");
	int r = 0;
	if (in->envelope < 0)
		take_envelope(in, a, &envelope);
	else
		r = take_large_envelope(in, a, &envelope, err);
	if (r < 0)
		return r;
	m.body = take_fd(&in->body);
	return queue_accept(q, &m, err);
}

/* Without mail nobody tries again, so a failure is forgotten after a while. */
#define FAILURE_MEMORY_MS 30000

struct str queue_trouble(struct queue *q)
{
	const struct queue_commit *c = &q->commit;
	const uint64_t *count = q->entries.count;

	metric_set(METRIC_QUEUE_MESSAGES, q->entries.total - count[QUEUE_COMMITTING]);
	metric_set(METRIC_QUEUE_DEFERRED, count[QUEUE_DEFERRED]);
	metric_set(METRIC_QUEUE_HELD, count[QUEUE_HELD]);
	metric_set(METRIC_QUEUE_CALLS, queue_courier_calls(q));
	metric_set(METRIC_QUEUE_BYTES, journal_bytes(q->journal));
	if (c->last_failure && loop_now() - c->last_failure < FAILURE_MEMORY_MS)
		return str_from(c->failure.text);
	return STR_NONE;
}

static int op_status(void *ctx, struct queue_status_in *in, struct arena *a,
		     struct queue_status_out *out, struct err *err)
{
	struct queue *q = ctx;
	const uint64_t *count = q->entries.count;
	(void)in, (void)a, (void)err;

	out->messages = q->entries.total - count[QUEUE_COMMITTING];
	out->deferred = count[QUEUE_DEFERRED];
	out->held = count[QUEUE_HELD];
	out->draining = q->draining;
	out->bytes = journal_bytes(q->journal);
	LIST_FOREACH (it, journal_segments(q->journal)) {
		struct journal_segment *s = LIST_ITEM(it, struct journal_segment, link);
		out->segments++;
		if (out->oldest == 0 && !list_empty(&s->entries))
			out->oldest =
				LIST_ITEM(s->entries.next, struct queue_entry, by_segment)->id;
	}
	return 0;
}

static int op_flush(void *ctx, struct queue_flush_in *in, struct arena *a,
		    struct queue_flush_out *out, struct err *err)
{
	(void)in, (void)a, (void)err;
	queue_destinations_wake(ctx);
	out->messages = queue_retry_all(ctx, false);
	return 0;
}

struct ipc_server queue_ipc_server(struct queue *q)
{
	static const struct queue_ops ops = {
		.submit = op_submit,
		.status = op_status,
		.flush = op_flush,
	};

	return (struct ipc_server){ .service = &queue_service, .ops = &ops, .ctx = q };
}

void queue_attach_worker(struct queue *q, unsigned worker, int fd)
{
	check(worker < q->config.workers);
	struct queue_worker *w = &q->workers[worker];

	ipc_client_attach(w->client, fd);
	queue_checkpoint_inherit(w);
	if (w->away) {
		w->away = false;
		queue_retry_all(q, true);
	}
}

void queue_attach_courier(struct queue *q, int fd)
{
	ipc_client_attach(q->courier, fd);
	queue_courier_attached(q);
}

void queue_attach_filter(struct queue *q, int fd)
{
	ipc_client_attach(q->filter, fd);
	q->filter_mute_until = 0;
}

void queue_attach_auth(struct queue *q, int fd)
{
	ipc_client_attach(q->auth, fd);
	q->relays.mute_until = 0;
}
