/* From the journal's records to entries, before the service runs. In a thread of the pool: no
 * logging, no fibers. */
#include <errno.h>
#include <inttypes.h>

#include "queue/queue_state.h"

struct replay {
	struct queue *queue;
	struct queue_replay_report *report;
	uint64_t condition; /* of the next mark: this message is in the journal */
	struct list conditional;
};

/* A mark whose condition has not been met yet. */
struct conditional {
	struct list link;
	uint64_t condition;
	struct journal_mark mark;
};

static void add_line(struct queue_replay_report *report, struct str file, struct str reason)
{
	struct queue_replay_line *line = ARENA_NEW(&report->arena, struct queue_replay_line);

	line->file = file;
	line->reason = reason;
	list_append(&report->lines, &line->link);
}

static void add_damage(struct queue_replay_report *report, const struct journal_damage *d)
{
	char name[JOURNAL_NAME_MAX];

	journal_segment_name(d->segment, name);
	add_line(report, arena_str(&report->arena, str_from(name)),
		 arena_printf(&report->arena, "%" PRIu64 " bytes at %" PRIu64 " are damaged; %s%s",
			      d->length, d->offset,
			      d->kept[0] ? "a copy is in " : "they could not be copied", d->kept));
}

/* A move that the power cut off must not hide the message that it copied. */
static bool is_sound(const struct replay *r, const struct journal_segment *s, uint64_t offset)
{
	struct journal_record record;

	return journal_verify(r->queue->journal, s, offset, &record, NULL) == 0;
}

static void apply_mark(struct replay *r, const struct journal_mark *m)
{
	struct queue_entry *e = queue_entries_find(&r->queue->entries, m->id);

	if (!e)
		return;
	if (m->recipient < e->recipient_count)
		queue_entry_set_rcpt(e, m->recipient, QUEUE_RCPT_FINISHED);
	if (m->recipient == JOURNAL_MARK_ALL || e->open == 0)
		queue_entries_remove(&r->queue->entries, e);
}

/* A report was written behind its marks. If it did not get there, they do not count. */
static void meet_condition(struct replay *r, const struct queue_entry *report)
{
	bool sound = false;

	LIST_FOREACH_SAFE (it, &r->conditional) {
		struct conditional *c = LIST_ITEM(it, struct conditional, link);
		if (c->condition != report->id)
			continue;
		sound = sound || is_sound(r, report->segment, report->offset);
		if (sound)
			apply_mark(r, &c->mark);
		list_remove(it);
	}
}

static void on_message(void *ctx, const struct journal_record *record, struct journal_segment *s,
		       uint64_t offset)
{
	struct replay *r = ctx;
	struct queue_entries *entries = &r->queue->entries;
	struct queue_entry *e = queue_entries_find(entries, record->id);

	if (!e) {
		e = queue_entries_add(entries, record->id, record->recipient_count);
		e->envelope_length = record->envelope_length;
		e->length = record->length;
		e->replay = true;
	} else if (!is_sound(r, s, offset) || record->length != e->length) {
		return;
	}
	e->crc = record->crc;
	queue_entry_place(e, s, offset);
	if (!list_empty(&r->conditional))
		meet_condition(r, e);
}

static void on_mark(void *ctx, const struct journal_mark *m)
{
	struct replay *r = ctx;
	uint64_t condition = r->condition;

	r->condition = m->recipient == JOURNAL_MARK_IF ? m->id : 0;
	if (r->condition)
		return;
	if (!condition || queue_entries_find(&r->queue->entries, condition)) {
		apply_mark(r, m);
		return;
	}
	struct conditional *c = ARENA_NEW(&r->report->arena, struct conditional);
	*c = (struct conditional){ .condition = condition, .mark = *m };
	list_append(&r->conditional, &c->link);
}

/* The clock may have been wrong then, or be wrong now. */
static void on_wait(void *ctx, const struct journal_wait *w)
{
	struct replay *r = ctx;
	const struct queue *q = r->queue;
	struct queue_entry *e = queue_entries_find(&r->queue->entries, w->id);
	int64_t pause = (int64_t)w->next * 1000 - q->start_usec / 1000;

	if (!e)
		return;
	if (pause > q->config.retry_max * 2)
		pause = q->config.retry_max;
	e->next_try = q->start_ms + pause;
	e->attempts = w->attempts;
	e->held = w->flags & JOURNAL_WAIT_HELD;
	e->warned = w->flags & JOURNAL_WAIT_WARNED;
}

static void on_damage(void *ctx, const struct journal_damage *d)
{
	struct replay *r = ctx;

	if (d->torn)
		r->report->bytes_torn += d->length;
	else
		add_damage(r->report, d);
}

/* Its checksum is wrong: it was never acknowledged, or the disk has failed since. */
static void drop(struct replay *r, struct queue_entry *e)
{
	struct journal_damage d = {
		.segment = e->segment->number,
		.offset = e->offset,
		.length = journal_record_size(e->length),
		.torn = e->offset >= e->segment->synced,
	};

	if (d.torn || journal_keep_damaged(r->queue->journal, e->segment, &d))
		on_damage(r, &d);
	queue_entries_remove(&r->queue->entries, e);
}

static void verify(struct replay *r, struct journal_segment *s)
{
	LIST_FOREACH_SAFE (it, &s->entries) {
		struct queue_entry *e = LIST_ITEM(it, struct queue_entry, by_segment);
		if (e->recipient_count == 0 || !is_sound(r, s, e->offset))
			drop(r, e);
	}
}

int queue_replay(struct queue *q, struct queue_replay_report *report, struct err *err)
{
	static const struct journal_visitor visitor = {
		.message = on_message,
		.mark = on_mark,
		.wait = on_wait,
		.damage = on_damage,
	};
	struct replay r = { .queue = q, .report = report };

	list_init(&report->lines);
	list_init(&r.conditional);
	int result = journal_replay(q->journal, &visitor, &r, err);
	if (result < 0)
		return result;
	LIST_FOREACH (it, journal_segments(q->journal)) {
		verify(&r, LIST_ITEM(it, struct journal_segment, link));
	}
	return 0;
}
