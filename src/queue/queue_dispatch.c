/* From an entry to its jobs and back: which messages are being delivered, and what each waits
 * for when no job of it is left. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "queue/queue_state.h"

void queue_dispatch(struct queue *q, struct queue_entry *e)
{
	queue_entry_set_state(&q->entries, e, QUEUE_INCOMING);
	list_append(&q->incoming, &e->link);
	waitq_wake_one(&q->dispatch);
}

void queue_active_free(struct queue_active *active)
{
	arena_done(&active->arena);
	free(active);
}

/* The envelope as it was accepted; the record's checksum was verified when it was written, and
 * again at the start. */
static int may_suspend load(struct queue_active *active, struct err *err)
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

static void hold(struct queue *q, struct queue_job *job)
{
	struct queue_outcome o = {
		.relay = "none",
		.status = STR("4.4.1"),
		.text = STR("mail to other servers is not sent by this one; held"),
	};

	queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_HELD);
	queue_log_outcome(q, job, LOG_QUEUE_DEFERRED, &o);
}

static void discard(struct queue *q, struct queue_job *job)
{
	struct queue_outcome o = {
		.relay = "discard",
		.status = STR("2.0.0"),
		.text = STR("discarded"),
	};

	queue_log_outcome(q, job, LOG_QUEUE_SENT, &o);
	queue_finish_recipient(q, job->active->entry, job->recipient);
}

static void start_job(struct queue *q, struct queue_job *job)
{
	switch (job->active->envelope.recipients[job->recipient].kind) {
	case ENVELOPE_MAILBOX:
		queue_entry_set_rcpt(job->active->entry, job->recipient, QUEUE_RCPT_ACTIVE);
		job->active->busy++;
		queue_deliver(q, job);
		return;
	case ENVELOPE_DISCARD:
		discard(q, job);
		return;
	case ENVELOPE_REMOTE:
	case ENVELOPE_KINDS:
		hold(q, job);
		return;
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

static void start_jobs(struct queue *q, struct queue_active *active)
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
		start_job(q, job);
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

static int may_suspend activate(struct queue *q, struct queue_entry *e)
{
	struct queue_active *active = calloc(1, sizeof(*active));
	struct err err = { 0 };

	if (!active)
		check_no_memory();
	queue_entry_set_state(&q->entries, e, QUEUE_ACTIVE);
	active->entry = e;
	e->active = active;
	q->active_count++;
	int r = load(active, &err);
	if (r == 0) {
		if (e->attempts == 0)
			log_active(active);
		start_jobs(q, active);
		return 0;
	}
	q->active_count--;
	e->active = NULL;
	queue_active_free(active);
	/* Not while a checkpoint has it in its list. */
	if ((r == -EBADMSG || r == -EPROTO) && !queue_entry_has_rcpt(e, QUEUE_RCPT_WRITTEN))
		give_up(q, e, &err);
	else if (r != -ECANCELED)
		queue_retry_later(q, e);
	return r == -ECANCELED ? r : 0;
}

void queue_dispatch_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		if (list_empty(&q->incoming) || q->draining ||
		    q->active_count >= q->config.active_max) {
			r = waitq_wait(&q->dispatch, "mail to deliver", LOOP_FOREVER);
			continue;
		}
		struct list *it = list_shift(&q->incoming);
		r = activate(q, LIST_ITEM(it, struct queue_entry, link));
	}
}

void queue_active_release(struct queue *q, struct queue_active *active)
{
	struct queue_entry *e = active->entry;

	check(active->busy > 0);
	if (--active->busy > 0)
		return;
	e->active = NULL;
	queue_active_free(active);
	q->active_count--;
	waitq_wake_one(&q->dispatch);
	queue_settle(q, e);
}

void queue_settle(struct queue *q, struct queue_entry *e)
{
	if (e->active)
		return;
	if (e->open == 0) {
		queue_mark(q, e->id, JOURNAL_MARK_ALL);
		log_event(LOG_QUEUE_REMOVED, LOG_CSTR("id", queue_id_text(e->id).c));
		if (e->state == QUEUE_DEFERRED)
			queue_retry_remove(q, e);
		list_remove(&e->link);
		queue_entries_remove(&q->entries, e);
		queue_commit_tidy(&q->commit);
		return;
	}
	if (e->state != QUEUE_ACTIVE && e->state != QUEUE_WRITTEN)
		return;
	if (queue_entry_has_rcpt(e, QUEUE_RCPT_WAITING))
		queue_retry_later(q, e);
	else if (queue_entry_has_rcpt(e, QUEUE_RCPT_WRITTEN))
		queue_entry_set_state(&q->entries, e, QUEUE_WRITTEN);
	else
		queue_entry_set_state(&q->entries, e, QUEUE_HELD);
}

void queue_finish_recipient(struct queue *q, struct queue_entry *e, uint32_t recipient)
{
	queue_entry_set_rcpt(e, recipient, QUEUE_RCPT_FINISHED);
	/* The last one is marked with the whole entry. */
	if (e->open > 0)
		queue_mark(q, e->id, recipient);
}
