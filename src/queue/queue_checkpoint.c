/* From written to durable: the workers sync, then what they had delivered is marked in the
 * journal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "queue/queue_state.h"
#include "store/mailbox_ipc.h"

/* Marks that one record holds at most. */
#define MARKS_MAX 4096

static void *grown(void *p, size_t *cap, size_t size)
{
	*cap = *cap ? *cap * 2 : 64;
	p = realloc(p, *cap * size);
	if (!p)
		check_no_memory();
	return p;
}

void queue_checkpoint_add(struct queue_worker *w, struct queue_entry *e, uint32_t recipient)
{
	struct queue *q = w->queue;

	if (w->written_count == w->written_cap)
		w->written = grown(w->written, &w->written_cap, sizeof(*w->written));
	w->written[w->written_count++] = (struct queue_written){ e, recipient };
	q->written_count++;
	if (q->written_count >= q->config.checkpoint_at)
		q->checkpoint_now = true;
	if (q->written_count == 1 || q->checkpoint_now)
		waitq_wake_one(&q->checkpoint);
}

void queue_mark(struct queue *q, uint64_t id, uint32_t recipient)
{
	if (q->mark_count == q->mark_cap)
		q->marks = grown(q->marks, &q->mark_cap, sizeof(*q->marks));
	q->marks[q->mark_count++] = (struct journal_mark){ .id = id, .recipient = recipient };
	if (q->mark_count == 1)
		waitq_wake_one(&q->checkpoint);
}

/* Marks that could not be written are kept for the next time. Until then a restart would repeat
 * deliveries, which the workers notice. */
static void marks_committed(struct queue *q, struct queue_append *a)
{
	if (a->append.result == 0)
		return;
	struct str bytes = a->append.pieces[0].bytes;
	for (size_t i = 0; i < bytes.n; i += JOURNAL_MARK_SIZE) {
		struct journal_mark m = journal_mark_parse(bytes.p + i);
		queue_mark(q, m.id, m.recipient);
	}
}

void queue_marks_post(struct queue *q)
{
	for (size_t done = 0; done < q->mark_count;) {
		size_t n = q->mark_count - done < MARKS_MAX ? q->mark_count - done : MARKS_MAX;
		struct queue_append *a = queue_append_new(JOURNAL_MARKS, 0);
		char *bytes = arena_alloc(&a->arena, n * JOURNAL_MARK_SIZE);

		for (size_t i = 0; i < n; i++)
			journal_mark_write(&q->marks[done + i], bytes + i * JOURNAL_MARK_SIZE);
		queue_append_piece(a, journal_piece_bytes(str_of(bytes, n * JOURNAL_MARK_SIZE)));
		a->committed = marks_committed;
		queue_commit_post(&q->commit, a);
		done += n;
	}
	q->mark_count = 0;
}

/* They may or may not be on disk: once more, and the workers look what is there. */
static void repeat(struct queue *q, const struct queue_written *written, size_t count, bool now)
{
	for (size_t i = 0; i < count; i++) {
		struct queue_entry *e = written[i].entry;

		queue_entry_set_rcpt(e, written[i].recipient, QUEUE_RCPT_WAITING);
		e->replay = true;
		if (e->state != QUEUE_WRITTEN)
			continue;
		if (now)
			queue_dispatch(q, e);
		else
			queue_retry_later(q, e);
	}
}

/* Deliveries that are answered from now on belong to the next checkpoint. */
static struct queue_written *take_written(struct queue_worker *w, size_t *count)
{
	struct queue_written *written = w->written;

	*count = w->written_count;
	w->queue->written_count -= w->written_count;
	w->written = NULL;
	w->written_count = w->written_cap = 0;
	return written;
}

void queue_checkpoint_forget(struct queue_worker *w)
{
	size_t count;
	struct queue_written *written = take_written(w, &count);

	repeat(w->queue, written, count, true);
	free(written);
}

static int may_suspend checkpoint(struct queue_worker *w)
{
	struct queue *q = w->queue;
	struct mailbox_checkpoint_in in = { 0 };
	struct mailbox_checkpoint_out out;
	size_t count;
	auto_arena struct arena a = ARENA_INIT;
	struct err err = { 0 };

	struct queue_written *written = take_written(w, &count);
	int r = mailbox_checkpoint(w->client, &in, &a, &out, &err);
	if (r >= 0) {
		for (size_t i = 0; i < count; i++) {
			queue_finish_recipient(q, written[i].entry, written[i].recipient);
			queue_settle(q, written[i].entry);
		}
	} else if (r != -ECANCELED) {
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "checkpoint"), LOG_REASON(&err));
		/* A worker that died is back at once; a disk that fails needs time. */
		repeat(q, written, count, r == -EPIPE);
	}
	free(written);
	return r < 0 ? r : 0;
}

int queue_checkpoint_all(struct queue *q)
{
	int result = 0;

	q->checkpoint_now = false;
	for (unsigned i = 0; i < q->config.workers; i++) {
		if (q->workers[i].written_count == 0)
			continue;
		int r = checkpoint(&q->workers[i]);
		if (r < 0)
			result = r;
	}
	queue_marks_post(q);
	return result;
}

/* Let some deliveries come together; fewer when there are many. */
static int may_suspend collect(struct queue *q)
{
	int64_t deadline = loop_deadline(q->config.checkpoint_ms);
	int r = 0;

	while (r == 0 && !q->checkpoint_now)
		r = waitq_wait(&q->checkpoint, "deliveries to collect", deadline);
	return r == -ETIMEDOUT ? 0 : r;
}

/* Whoever drains the queue waits for it: what is marked is not delivered again. */
static int may_suspend checkpoint_in_turn(struct queue *q)
{
	q->in_flight++;
	int r = queue_checkpoint_all(q);
	if (--q->in_flight == 0)
		waitq_wake_all(&q->quiet);
	return r;
}

void queue_checkpoint_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		if (q->written_count == 0 && q->mark_count == 0) {
			r = waitq_wait(&q->checkpoint, "deliveries", LOOP_FOREVER);
			continue;
		}
		r = collect(q);
		if (r == 0 && checkpoint_in_turn(q) == -ECANCELED)
			r = -ECANCELED;
		if (r == 0)
			queue_compact(q);
	}
}
