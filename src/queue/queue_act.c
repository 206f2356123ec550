/* What a person does with messages: try now, hold, release, delete. Each is in the journal before
 * the answer. */
#include <errno.h>
#include <string.h>

#include "core/log.h"
#include "queue/operator.h"
#include "queue/queue_state.h"

/* Out of whatever it waits in. */
static void take_out(struct queue *q, struct queue_entry *e)
{
	if (e->state == QUEUE_DEFERRED)
		queue_retry_remove(q, e);
	list_remove(&e->link);
	e->admitted = false;
}

static bool waits(const struct queue_entry *e)
{
	return e->state == QUEUE_DEFERRED || e->state == QUEUE_INCOMING || e->state == QUEUE_HELD;
}

static bool retry(struct queue *q, struct queue_entry *e)
{
	if (e->state != QUEUE_DEFERRED)
		return false;
	take_out(q, e);
	queue_try_now(q, e);
	return true;
}

/* One that is being delivered is held when that has ended. */
static bool hold(struct queue *q, struct queue_entry *e)
{
	if (e->held)
		return false;
	e->held = true;
	if (waits(e)) {
		take_out(q, e);
		queue_entry_set_state(&q->entries, e, QUEUE_HELD);
	}
	queue_note_wait(q, e);
	return true;
}

static bool release(struct queue *q, struct queue_entry *e)
{
	if (!e->held)
		return false;
	e->held = false;
	e->next_try = loop_now();
	queue_note_wait(q, e);
	if (e->state == QUEUE_HELD)
		queue_try_now(q, e);
	return true;
}

static bool delete(struct queue *q, struct queue_entry *e)
{
	if (e->deleted)
		return false;
	e->deleted = true;
	queue_mark(q, e->id, JOURNAL_MARK_ALL);
	if (waits(e)) {
		take_out(q, e);
		/* From here it is settled, as soon as no checkpoint has it in its list. */
		queue_entry_set_state(&q->entries, e, QUEUE_WRITTEN);
		queue_settle(q, e);
	}
	return true;
}

int queue_act(struct queue *q, enum operator_action action, uint64_t id)
{
	static const struct {
		bool (*act)(struct queue *q, struct queue_entry *e);
		const char *word;
	} actions[OPERATOR_ACTIONS] = {
		[OPERATOR_RETRY] = { retry, "tried again by an operator" },
		[OPERATOR_HOLD] = { hold, "held by an operator" },
		[OPERATOR_RELEASE] = { release, "released by an operator" },
		[OPERATOR_DELETE] = { delete, "deleted by an operator" },
	};
	struct queue_entry *e = queue_entries_find(&q->entries, id);

	if (!e || e->state == QUEUE_COMMITTING || e->deleted)
		return -ENOENT;
	if (!actions[action].act(q, e))
		return 0;
	queue_history_note(q, id, str_from(actions[action].word));
	log_event(LOG_QUEUE_OPERATOR, LOG_CSTR("id", queue_id_text(id).c),
		  LOG_CSTR("what", actions[action].word));
	return 1;
}

/* Whoever wants mail to go now knows more of its destination than we have seen. */
static void wake(struct queue *q, enum operator_action action)
{
	if (action == OPERATOR_RETRY || action == OPERATOR_RELEASE)
		queue_destinations_wake(q);
}

int queue_act_end(struct queue *q, enum operator_action action, struct err *err)
{
	int64_t failure = q->commit.last_failure;

	wake(q, action);
	queue_notes_post(q);
	/* Records are written in their order: when this one, which says nothing, is durable, so are
	 * the notes. */
	int r = queue_commit_wait(&q->commit, queue_append_new(JOURNAL_MARKS, 0));
	if (r < 0)
		return err_set(err, r, "the journal cannot be written");
	return q->commit.last_failure == failure
		       ? 0
		       : err_set(err, -EIO, "the journal cannot be written: %s",
				 q->commit.failure.text);
}
