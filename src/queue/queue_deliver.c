/* Delivery to the mailbox workers. Each account has a lane: its mail is delivered in order, one
 * message at a time, while different accounts go side by side, up to so many calls per worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "queue/queue_state.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"

/* A message whose delivery takes the worker down with it must not do so for ever. */
#define LOST_MAX 3

void queue_worker_init(struct queue_worker *w, struct queue *q)
{
	w->queue = q;
	w->client = ipc_client_new("mailbox", &q->clients);
	map_init(&w->lanes);
	list_init(&w->ready);
	waitq_init(&w->work);
	queue_unsynced_init(&w->unsynced);
}

static void lane_free(struct queue_lane *lane)
{
	list_remove(&lane->ready);
	free(lane);
}

void queue_worker_done(struct queue_worker *w)
{
	for (struct map_slot *s = map_next(&w->lanes, NULL); s; s = map_next(&w->lanes, s))
		lane_free(s->value);
	map_done(&w->lanes);
	ipc_client_free(w->client);
	queue_unsynced_done(&w->unsynced);
}

/* A lane that nobody needs goes; one with jobs waits for its turn. */
static void lane_next(struct queue_lane *lane)
{
	struct queue_worker *w = lane->worker;

	if (lane->busy)
		return;
	if (queue_room_is_unused(&lane->room)) {
		map_remove(&w->lanes, lane->account);
		lane_free(lane);
	} else if (!list_empty(&lane->jobs) && list_empty(&lane->ready)) {
		list_append(&w->ready, &lane->ready);
	}
}

static void room_unused(struct queue *q, struct queue_room *room)
{
	(void)q;
	lane_next(CONTAINER_OF(room, struct queue_lane, room));
}

struct queue_lane *queue_lane_of(struct queue *q, const struct envelope_recipient *r)
{
	struct str account = envelope_account(r);
	struct queue_worker *w = &q->workers[mailbox_worker(account, q->config.workers)];
	struct queue_lane *lane = map_get(&w->lanes, account);

	if (lane)
		return lane;
	lane = calloc(1, sizeof(*lane) + account.n);
	if (!lane)
		check_no_memory();
	memcpy((char *)(lane + 1), account.p, account.n);
	lane->account = str_of(lane + 1, account.n);
	lane->worker = w;
	queue_room_init(&lane->room, room_unused);
	list_init(&lane->jobs);
	list_init(&lane->ready);
	map_put(&w->lanes, lane->account, lane);
	return lane;
}

static const struct envelope_recipient *recipient_of(const struct queue_job *job)
{
	return &job->active->envelope.recipients[job->recipient];
}

/* What came of a call, before anything is decided about it. */
struct answer {
	int result; /* of the call */
	enum mailbox_outcome outcome;
	struct queue_outcome log;
};

static void may_suspend call_worker(struct queue_worker *w, struct queue_job *job, struct arena *a,
				    struct answer *answer)
{
	const struct envelope_recipient *rcpt = recipient_of(job);
	const struct envelope *envelope = &job->active->envelope;
	struct queue_entry *e = job->active->entry;
	struct mailbox_deliver_in in = {
		.id = e->id,
		.part = job->part,
		.account = envelope_account(rcpt),
		.address = rcpt->address,
		.original = rcpt->original.n ? rcpt->original : rcpt->address,
		.sender = envelope->sender,
		.flags = envelope->flags,
		.segment = e->segment->fd,
		.offset = queue_entry_content_offset(e),
		.length = queue_entry_content_length(e),
		.replay = e->replay,
	};
	struct mailbox_deliver_out out;
	struct err err = { 0 };

	int r = mailbox_deliver(w->client, &in, a, &out, &err);
	answer->result = r;
	answer->log.relay = STR("mailbox");
	if (r < 0) {
		answer->outcome = MAILBOX_TRY_AGAIN;
		answer->log.status = STR("4.3.0");
		answer->log.text = arena_str(a, str_from(err.text));
		/* It may have been delivered, and it may still be reading the segment. */
		e->replay = true;
		e->segment->no_reuse = true;
		return;
	}
	answer->outcome = out.outcome;
	answer->log.status = out.status;
	answer->log.text = out.text;
}

static void delivered(struct queue_worker *w, struct queue_job *job, const struct answer *answer)
{
	struct queue *q = w->queue;

	queue_log_outcome(q, job, QUEUE_SENT, &answer->log);
	queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_WRITTEN);
	queue_checkpoint_add(w, job, envelope_account(recipient_of(job)));
	queue_tell(job, DSN_DELIVERED, &answer->log);
}

static void job_done(struct queue *q, struct queue_job *job)
{
	struct queue_active *active = job->active;

	queue_room_leave(q, &job->lane->room);
	queue_active_release(q, active);
}

/* Nobody is there to deliver to: the jobs give their places to others. */
static void send_lane_away(struct queue_lane *lane)
{
	struct queue *q = lane->worker->queue;
	struct list jobs, *it;
	struct queue_outcome o = {
		.relay = STR("mailbox"),
		.status = STR("4.3.2"),
		.text = STR("the mailbox process is not running"),
	};

	list_init(&jobs);
	while ((it = list_shift(&lane->jobs)))
		list_append(&jobs, it);
	/* With the last one the lane may go. */
	while ((it = list_shift(&jobs))) {
		struct queue_job *job = LIST_ITEM(it, struct queue_job, link);
		job->active->entry->no_worker = true;
		queue_try_later(q, job, &o);
		job_done(q, job);
	}
}

static void send_all_away(struct queue_worker *w)
{
	struct list *it;

	while ((it = list_shift(&w->ready))) {
		send_lane_away(LIST_ITEM(it, struct queue_lane, ready));
	}
}

static void may_suspend decide(struct queue_worker *w, struct queue_lane *lane,
			       struct queue_job *job, struct answer *answer)
{
	struct queue *q = w->queue;

	if (answer->result == -EPIPE && ++job->lost < LOST_MAX) {
		list_prepend(&lane->jobs, &job->link);
		return;
	}
	if (answer->outcome == MAILBOX_DELIVERED)
		delivered(w, job, answer);
	else if (answer->outcome == MAILBOX_REFUSED || queue_is_expired(q, job->active))
		queue_refused(q, job, &answer->log);
	else
		queue_try_later(q, job, &answer->log);
	if (answer->result == -ETIMEDOUT && !ipc_client_connected(w->client)) {
		job->active->entry->no_worker = true;
		w->away = true;
		send_lane_away(lane);
		send_all_away(w);
	}
	job_done(q, job);
}

static int may_suspend deliver_one(struct queue_worker *w, struct queue_lane *lane)
{
	auto_arena struct arena a = ARENA_INIT;
	struct answer answer = { 0 };
	struct list *it = list_shift(&lane->jobs);
	struct queue_job *job = LIST_ITEM(it, struct queue_job, link);

	lane->busy = true;
	if (queue_entry_is_withdrawn(job->active->entry)) {
		queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_DEFERRED);
		job_done(w->queue, job);
	} else {
		call_worker(w, job, &a, &answer);
		/* When the queue stops, the job stays where it was: queue_stop frees it with its
		 * lane. */
		if (answer.result == -ECANCELED)
			list_prepend(&lane->jobs, &job->link);
		else
			decide(w, lane, job, &answer);
	}
	lane->busy = false;
	lane_next(lane);
	waitq_wake_one(&w->work);
	return answer.result == -ECANCELED ? -ECANCELED : 0;
}

void queue_deliver_run(void *arg)
{
	struct queue_worker *w = arg;
	struct queue *q = w->queue;
	int r = 0;

	while (r == 0) {
		if (q->draining || list_empty(&w->ready)) {
			r = waitq_wait(&w->work, "mail for a worker", LOOP_FOREVER);
			continue;
		}
		struct list *it = list_shift(&w->ready);
		q->in_flight++;
		r = deliver_one(w, LIST_ITEM(it, struct queue_lane, ready));
		queue_ended(q);
	}
}

void queue_deliver(struct queue_job *job)
{
	struct queue_lane *lane = job->lane;
	struct queue_worker *w = lane->worker;

	queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_ACTIVE);
	job->active->busy++;
	queue_room_enter(&lane->room);
	list_append(&lane->jobs, &job->link);
	if (w->away)
		send_lane_away(lane);
	else
		lane_next(lane);
	waitq_wake_one(&w->work);
}
