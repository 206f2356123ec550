/* From written to durable: the workers sync, then what they had delivered is marked in the
 * journal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "queue/queue_state.h"
#include "store/mailbox_ipc.h"

static void *grown(void *p, size_t *cap, size_t size)
{
	*cap = *cap ? *cap * 2 : 64;
	p = realloc(p, *cap * size);
	if (!p)
		check_no_memory();
	return p;
}

void queue_unsynced_init(struct queue_unsynced *u)
{
	*u = (struct queue_unsynced){ 0 };
	map_init(&u->accounts);
}

void queue_unsynced_done(struct queue_unsynced *u)
{
	free(u->v);
	map_done(&u->accounts);
	arena_done(&u->arena);
}

static void note_account(struct queue_unsynced *u, struct str account)
{
	if (map_get(&u->accounts, account))
		return;
	struct str name = arena_str(&u->arena, account);
	map_put(&u->accounts, name, (void *)name.p);
}

void queue_checkpoint_add(struct queue_worker *w, const struct queue_job *job, struct str account)
{
	struct queue *q = w->queue;
	struct queue_unsynced *u = &w->unsynced;

	if (u->count == 0)
		u->failures = q->checkpoint_failures;
	if (u->count == u->cap)
		u->v = grown(u->v, &u->cap, sizeof(*u->v));
	u->v[u->count++] = (struct queue_written){ job->active->entry, job->recipient };
	note_account(u, account);
	q->written_count++;
	if (q->written_count >= q->config.checkpoint_at)
		q->checkpoint_now = true;
	if (q->written_count == 1 || q->checkpoint_now)
		waitq_wake_one(&q->checkpoint);
}

/* They may or may not be on disk: once more, and the workers look what is there. */
static void repeat(struct queue *q, const struct queue_unsynced *u)
{
	for (size_t i = 0; i < u->count; i++) {
		struct queue_entry *e = u->v[i].entry;

		queue_entry_set_rcpt(e, u->v[i].recipient, QUEUE_RCPT_WAITING);
		e->replay = true;
		if (e->state == QUEUE_WRITTEN)
			queue_retry_later(q, e);
	}
}

static void finish(struct queue *q, const struct queue_unsynced *u)
{
	for (size_t i = 0; i < u->count; i++) {
		queue_finish_recipient(q, u->v[i].entry, u->v[i].recipient);
		queue_settle(q, u->v[i].entry);
	}
}

/* Deliveries that are answered from now on belong to the next checkpoint. */
static struct queue_unsynced take(struct queue_worker *w)
{
	struct queue_unsynced taken = w->unsynced;

	w->queue->written_count -= taken.count;
	queue_unsynced_init(&w->unsynced);
	return taken;
}

/* What is written is in the kernel's hands and outlives the process that wrote it: its successor
 * can sync it. To deliver it again would bring back what a client has moved or expunged since. */
void queue_checkpoint_inherit(struct queue_worker *w)
{
	w->unsynced.inherited = w->unsynced.count > 0;
}

/* No answer: whoever serves there next is asked, also for what came meanwhile. */
static void give_back(struct queue_worker *w, struct queue_unsynced *u)
{
	struct queue_unsynced newer = take(w);

	w->unsynced = *u;
	w->queue->written_count += u->count;
	for (size_t i = 0; i < newer.count; i++) {
		struct queue_unsynced *all = &w->unsynced;
		if (all->count == all->cap)
			all->v = grown(all->v, &all->cap, sizeof(*all->v));
		all->v[all->count++] = newer.v[i];
	}
	w->queue->written_count += newer.count;
	for (struct map_slot *s = map_next(&newer.accounts, NULL); s;
	     s = map_next(&newer.accounts, s))
		note_account(&w->unsynced, s->key);
	w->unsynced.inherited = true;
	queue_unsynced_done(&newer);
}

static struct mailbox_checkpoint_in request(const struct queue_unsynced *u, struct arena *a)
{
	struct mailbox_checkpoint_in in = { 0 };

	if (!u->inherited)
		return in;
	in.inherited = ARENA_NEW_ARRAY(a, struct mailbox_inherited, u->accounts.count);
	for (struct map_slot *s = map_next(&u->accounts, NULL); s; s = map_next(&u->accounts, s))
		in.inherited[in.inherited_count++].account = s->key;
	return in;
}

static int may_suspend checkpoint(struct queue_worker *w)
{
	struct queue *q = w->queue;
	struct mailbox_checkpoint_out out;
	auto_arena struct arena a = ARENA_INIT;
	struct err err = { 0 };

	struct queue_unsynced u = take(w);
	struct mailbox_checkpoint_in in = request(&u, &a);
	int r = mailbox_checkpoint(w->client, &in, &a, &out, &err);
	if (r == -EPIPE || r == -ETIMEDOUT) {
		give_back(w, &u);
		return r;
	}
	/* Who opened the file system later is not told of a failure that another saw. */
	if (r >= 0 && u.inherited && u.failures != q->checkpoint_failures)
		r = err_set(&err, -EIO, "a sync failed since these deliveries");
	if (r >= 0) {
		finish(q, &u);
	} else if (r != -ECANCELED) {
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "checkpoint"), LOG_REASON(&err));
		q->checkpoint_failures++;
		repeat(q, &u);
	}
	queue_unsynced_done(&u);
	return r < 0 ? r : 0;
}

int queue_checkpoint_all(struct queue *q)
{
	int result = 0;

	q->checkpoint_now = false;
	for (unsigned i = 0; i < q->config.workers; i++) {
		const struct queue_worker *w = &q->workers[i];
		if (w->unsynced.count == 0 || !ipc_client_connected(w->client))
			continue;
		int r = checkpoint(&q->workers[i]);
		if (r < 0)
			result = r;
	}
	queue_notes_post(q);
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
		if (q->written_count == 0 && queue_notes_empty(q)) {
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
