/* From an entry to its jobs and back: which messages are being delivered, and what each waits
 * for when no job of it is left. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "dns/idna.h"
#include "queue/queue_state.h"

void queue_dispatch(struct queue *q, struct queue_entry *e)
{
	if (e->held) {
		queue_entry_set_state(&q->entries, e, QUEUE_HELD);
		return;
	}
	queue_entry_set_state(&q->entries, e, QUEUE_INCOMING);
	queue_source_add(q, e);
	waitq_wake_one(&q->dispatch);
}

void queue_active_free(struct queue_active *active)
{
	arena_done(&active->arena);
	free(active);
}

static bool has_remote(const struct queue_active *active)
{
	for (uint32_t i = 0; i < active->entry->recipient_count; i++)
		if (active->envelope.recipients[i].kind == ENVELOPE_REMOTE &&
		    queue_entry_rcpt(active->entry, i) == QUEUE_RCPT_WAITING)
			return true;
	return false;
}

/* The envelope as it was accepted; the record's checksum was verified when it was written, and
 * again at the start. */
static int may_suspend load(struct queue *q, struct queue_active *active, struct err *err)
{
	const struct queue_entry *e = active->entry;
	char *bytes = arena_alloc(&active->arena, e->envelope_length);

	int r = queue_read(e, e->offset + JOURNAL_RECORD_HEADER, e->envelope_length, bytes);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return err_set(err, r, "envelope: cannot be read");
	r = envelope_parse(str_of(bytes, e->envelope_length), &active->arena, &active->envelope,
			   err);
	if (r < 0)
		return r;
	if (active->envelope.recipient_count != e->recipient_count)
		return err_set(err, -EBADMSG, "envelope: %zu recipients instead of %" PRIu32,
			       active->envelope.recipient_count, e->recipient_count);
	if (has_remote(active))
		return queue_relay(q, active, err);
	return 0;
}

static void log_active(const struct queue_active *active)
{
	const struct queue_entry *e = active->entry;

	log_event(LOG_QUEUE_ACTIVE, LOG_CSTR("id", queue_id_text(e->id).c),
		  LOG_STR("from", active->envelope.sender),
		  LOG_INT("size", (int64_t)queue_entry_content_length(e)),
		  LOG_INT("nrcpt", e->recipient_count));
}

static void discard(struct queue *q, struct queue_job *job)
{
	struct queue_outcome o = {
		.relay = STR("discard"),
		.status = STR("2.0.0"),
		.text = STR("discarded"),
	};

	queue_log_outcome(q, job, QUEUE_SENT, &o);
	queue_finish_recipient(q, job->active->entry, job->recipient);
}

/* Who delivers it. NULL: nobody need. */
static struct queue_room *find_room(struct queue *q, struct queue_job *job)
{
	const struct envelope_recipient *r = &job->active->envelope.recipients[job->recipient];

	if (r->kind == ENVELOPE_DISCARD)
		return NULL;
	if (r->kind == ENVELOPE_MAILBOX && q->routes.agent.n == 0) {
		job->lane = queue_lane_of(q, r);
		return &job->lane->room;
	}
	struct str nexthop = route_find(&q->routes, job->active->relay, r, &job->active->arena);
	/* A domain is one destination, however it is written; what is none the courier refuses. */
	(void)!idna_to_ascii(nexthop, &job->active->arena, &nexthop);
	job->destination = queue_destination_of(q, nexthop);
	return &job->destination->room;
}

/* What stands in line before a room that is full is not looked at for its urgency. */
static bool is_urgent(const struct queue_active *active)
{
	return queue_urgency_of_source(active->entry->source) == QUEUE_URGENT;
}

static void start_job(struct queue *q, struct queue_job *job, bool admitted)
{
	struct queue_active *active = job->active;
	struct queue_outcome o = { .relay = STR("none"), .status = STR("5.1.1") };

	if (queue_is_suppressed(q, job, &o.text)) {
		queue_refused(q, job, &o);
		return;
	}
	struct queue_room *room = find_room(q, job);
	if (!room) {
		discard(q, job);
	} else if (queue_room_is_full(q, room) && !admitted && !is_urgent(active)) {
		/* The entry counts as one of its jobs, so that the room does not go away. */
		if (!active->full) {
			active->full = room;
			queue_room_enter(room);
		}
	} else if (job->lane) {
		queue_deliver(job);
	} else {
		queue_courier_add(q, job);
	}
}

/* An account that several recipients lead to gets the message as often: the deliveries are
 * numbered, the same way each time. */
static void number_parts(struct queue_active *active)
{
	uint32_t count = active->entry->recipient_count;
	struct map next;

	if (count == 1)
		return;
	map_init(&next);
	for (uint32_t i = 0; i < count; i++) {
		struct str account = envelope_account(&active->envelope.recipients[i]);
		struct queue_job *before = map_put(&next, account, &active->jobs[i]);
		if (before)
			active->jobs[i].part = before->part + 1;
	}
	map_done(&next);
}

static void start_jobs(struct queue *q, struct queue_active *active, bool admitted)
{
	uint32_t count = active->entry->recipient_count;

	active->jobs = ARENA_NEW_ARRAY(&active->arena, struct queue_job, count);
	number_parts(active);
	active->busy = 1; /* ours, until all are started */
	for (uint32_t i = 0; i < count; i++) {
		struct queue_job *job = &active->jobs[i];
		if (queue_entry_rcpt(active->entry, i) != QUEUE_RCPT_WAITING)
			continue;
		job->active = active;
		job->recipient = i;
		list_init(&job->link);
		start_job(q, job, admitted);
	}
	queue_active_release(q, active);
}

/* The message cannot be used. Its bytes are still in the segment, and in a copy if that can be
 * made. */
static void give_up(struct queue *q, struct queue_entry *e, const struct err *err)
{
	struct journal_damage d = {
		.segment = e->segment->number,
		.offset = e->offset,
		.length = journal_record_size(e->length),
	};

	journal_keep_damaged(q->journal, e->segment, &d);
	log_event(LOG_QUEUE_DAMAGED, LOG_CSTR("file", d.kept), LOG_REASON(err),
		  LOG_CSTR("id", queue_id_text(e->id).c));
	queue_entries_remove(&q->entries, e);
}

static struct queue_active *active_new(struct queue *q, struct queue_entry *e)
{
	struct queue_active *active = calloc(1, sizeof(*active));

	if (!active)
		check_no_memory();
	queue_entry_set_state(&q->entries, e, QUEUE_ACTIVE);
	active->entry = e;
	list_init(&active->tellings);
	list_init(&active->reporting);
	e->active = active;
	q->active_count++;
	return active;
}

static void active_end(struct queue *q, struct queue_active *active)
{
	active->entry->active = NULL;
	queue_active_free(active);
	q->active_count--;
	waitq_wake_one(&q->dispatch);
}

static void load_failed(struct queue *q, struct queue_entry *e, const struct err *err, int r)
{
	log_event(LOG_CALL_FAILED, LOG_CSTR("what", queue_id_text(e->id).c), LOG_REASON(err));
	e->remote = e->busy = false;
	/* Not while a checkpoint has it in its list. */
	if ((r == -EBADMSG || r == -EPROTO) && !queue_entry_has_rcpt(e, QUEUE_RCPT_WRITTEN))
		give_up(q, e, err);
	else
		queue_retry_later(q, e);
}

static int may_suspend activate(struct queue *q, struct queue_entry *e)
{
	struct queue_active *active = active_new(q, e);
	bool admitted = e->admitted, known = e->source;
	struct err err = { 0 };

	int r = load(q, active, &err);
	if (r < 0) {
		active_end(q, active);
		if (r != -ECANCELED)
			load_failed(q, e, &err, r);
		return r == -ECANCELED ? r : 0;
	}
	if (!known)
		e->source = queue_source_key(q, &active->envelope);
	if (!known && queue_source_is_full(q, e->source)) {
		active_end(q, active);
		queue_dispatch(q, e);
		return 0;
	}
	e->admitted = false;
	e->remote = e->busy = true; /* until something else is heard */
	queue_source_enter(q, e->source);
	if (e->attempts == 0)
		log_active(active);
	start_jobs(q, active, admitted);
	return 0;
}

static struct queue_entry *next_entry(struct queue *q)
{
	struct list *it;

	if (q->draining || q->active_count >= q->config.active_max)
		return NULL;
	it = list_shift(&q->admitted);
	return it ? LIST_ITEM(it, struct queue_entry, link) : queue_source_next(q);
}

void queue_dispatch_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		struct queue_entry *e = next_entry(q);
		r = e ? activate(q, e) : waitq_wait(&q->dispatch, "mail to deliver", LOOP_FOREVER);
	}
}

static void remove_entry(struct queue *q, struct queue_entry *e)
{
	queue_mark(q, e->id, JOURNAL_MARK_ALL);
	log_event(LOG_QUEUE_REMOVED, LOG_CSTR("id", queue_id_text(e->id).c));
	if (e->state == QUEUE_DEFERRED)
		queue_retry_remove(q, e);
	list_remove(&e->link);
	queue_entries_remove(&q->entries, e);
	queue_commit_tidy(&q->commit);
}

static bool has_waiting(const struct queue_entry *e)
{
	return queue_entry_has_rcpt(e, QUEUE_RCPT_WAITING) ||
	       queue_entry_has_rcpt(e, QUEUE_RCPT_DEFERRED);
}

/* Nobody needs it any more, and no checkpoint has it in its list. */
static bool is_over(const struct queue_entry *e)
{
	return e->open == 0 || (e->deleted && !queue_entry_has_rcpt(e, QUEUE_RCPT_WRITTEN));
}

static void settle(struct queue *q, struct queue_entry *e, int64_t not_before)
{
	if (is_over(e))
		remove_entry(q, e);
	else if (e->state != QUEUE_ACTIVE && e->state != QUEUE_WRITTEN)
		return;
	else if (has_waiting(e) && !e->deleted)
		queue_retry_after(q, e, not_before);
	else
		queue_entry_set_state(&q->entries, e, QUEUE_WRITTEN);
}

void queue_active_release(struct queue *q, struct queue_active *active)
{
	struct queue_entry *e = active->entry;

	check(active->busy > 0);
	if (--active->busy > 0)
		return;
	if (!list_empty(&active->tellings) && !e->deleted) {
		active->busy = 1;
		queue_report_later(q, active);
		return;
	}
	struct queue_room *full = active->full;
	int64_t not_before = active->not_before;
	active_end(q, active);
	queue_source_leave(q, e->source);
	if (!full) {
		settle(q, e, not_before);
	} else if (e->held || e->deleted) {
		queue_room_leave(q, full);
		settle(q, e, 0);
	} else {
		queue_room_park(q, full, e);
	}
}

void queue_settle(struct queue *q, struct queue_entry *e)
{
	if (!e->active)
		settle(q, e, 0);
}

void queue_finish_recipient(struct queue *q, struct queue_entry *e, uint32_t recipient)
{
	queue_entry_set_rcpt(e, recipient, QUEUE_RCPT_FINISHED);
	/* The last one is marked with the whole entry. */
	if (e->open > 0)
		queue_mark(q, e->id, recipient);
}
