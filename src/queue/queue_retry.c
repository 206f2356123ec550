/* Deferred entries, in a heap by the time of their next attempt. */
#include <errno.h>
#include <stdlib.h>

#include "base/rand.h"
#include "queue/queue_state.h"

static void put(struct queue *q, size_t i, struct queue_entry *e)
{
	q->retry[i] = e;
	e->heap_index = (uint32_t)i;
}

static void sift_up(struct queue *q, size_t i, struct queue_entry *e)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;
		if (q->retry[parent]->next_try <= e->next_try)
			break;
		put(q, i, q->retry[parent]);
		i = parent;
	}
	put(q, i, e);
}

static void sift_down(struct queue *q, size_t i, struct queue_entry *e)
{
	for (;;) {
		size_t child = i * 2 + 1;
		if (child >= q->retry_count)
			break;
		if (child + 1 < q->retry_count &&
		    q->retry[child + 1]->next_try < q->retry[child]->next_try)
			child++;
		if (e->next_try <= q->retry[child]->next_try)
			break;
		put(q, i, q->retry[child]);
		i = child;
	}
	put(q, i, e);
}

static void push(struct queue *q, struct queue_entry *e)
{
	if (q->retry_count == q->retry_cap) {
		q->retry_cap = q->retry_cap ? q->retry_cap * 2 : 256;
		q->retry = realloc(q->retry, q->retry_cap * sizeof(struct queue_entry *));
		if (!q->retry)
			check_no_memory();
	}
	sift_up(q, q->retry_count++, e);
}

void queue_retry_remove(struct queue *q, struct queue_entry *e)
{
	size_t i = e->heap_index;

	check(i < q->retry_count && q->retry[i] == e);
	struct queue_entry *last = q->retry[--q->retry_count];
	if (last == e)
		return;
	if (i > 0 && q->retry[(i - 1) / 2]->next_try > last->next_try)
		sift_up(q, i, last);
	else
		sift_down(q, i, last);
}

/* Up to a tenth more or less: what failed together does not come back together. */
static int64_t spread(int64_t ms)
{
	int64_t range = ms / 5;

	return range > 0 ? ms - range / 2 + (int64_t)(rand_u64() % (uint64_t)range) : ms;
}

static int64_t first_pause_of(const struct queue *q, const struct queue_entry *e)
{
	return e->remote ? q->config.remote_retry_min : q->config.retry_min;
}

/* Twice as long each time. */
static int64_t pause_of(const struct queue *q, const struct queue_entry *e)
{
	int64_t pause = first_pause_of(q, e);

	for (unsigned i = 0; i < e->attempts && pause < q->config.retry_max; i++)
		pause *= 2;
	return pause < q->config.retry_max ? pause : q->config.retry_max;
}

/* Counted only while it is sooner than the first pause: the shift stays small. */
static int64_t busy_pause_of(const struct queue_entry *e)
{
	return (int64_t)QUEUE_REST_MS << e->busy_attempts;
}

void queue_retry_after(struct queue *q, struct queue_entry *e, int64_t not_before)
{
	int64_t pause = pause_of(q, e), now = loop_now();
	bool soon = e->busy && busy_pause_of(e) < first_pause_of(q, e);

	if (soon)
		pause = busy_pause_of(e);
	if (not_before - now > pause)
		pause = (not_before - now) / 9 * 10; /* spread takes a tenth away */
	else if (not_before == 0 && soon)
		e->busy_attempts++;
	else if (not_before == 0 && e->attempts < UINT16_MAX)
		e->attempts++;
	if (!e->busy)
		e->busy_attempts = 0;
	e->next_try = now + spread(pause);
	queue_note_wait(q, e);
	queue_retry_restore(q, e);
}

void queue_retry_restore(struct queue *q, struct queue_entry *e)
{
	if (e->held) {
		queue_entry_set_state(&q->entries, e, QUEUE_HELD);
		return;
	}
	queue_entry_set_state(&q->entries, e, QUEUE_DEFERRED);
	push(q, e);
	if (e->heap_index == 0)
		waitq_wake_one(&q->retry_changed);
}

void queue_retry_later(struct queue *q, struct queue_entry *e)
{
	queue_retry_after(q, e, 0);
}

void queue_try_now(struct queue *q, struct queue_entry *e)
{
	e->no_worker = false;
	for (uint32_t i = 0; i < e->recipient_count; i++)
		if (queue_entry_rcpt(e, i) == QUEUE_RCPT_DEFERRED)
			queue_entry_set_rcpt(e, i, QUEUE_RCPT_WAITING);
	queue_dispatch(q, e);
}

static void try_first(struct queue *q)
{
	struct queue_entry *e = q->retry[0];

	queue_retry_remove(q, e);
	queue_try_now(q, e);
}

void queue_retry_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0 || r == -ETIMEDOUT) {
		while (q->retry_count && q->retry[0]->next_try <= loop_now())
			try_first(q);
		r = waitq_wait(&q->retry_changed, "time for another attempt",
			       q->retry_count ? q->retry[0]->next_try : LOOP_FOREVER);
	}
}

uint64_t queue_retry_all(struct queue *q, bool no_worker)
{
	uint64_t count = 0;

	/* From the end: taking one out moves only entries that were looked at. */
	for (size_t i = q->retry_count; i-- > 0;) {
		struct queue_entry *e = q->retry[i];
		if (no_worker && !e->no_worker)
			continue;
		e->next_try = loop_now();
		count++;
	}
	/* All at once, and then the heap is one again. */
	for (size_t i = q->retry_count / 2; i-- > 0;)
		sift_down(q, i, q->retry[i]);
	if (count)
		waitq_wake_one(&q->retry_changed);
	return count;
}
