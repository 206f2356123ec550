/* Moving the last live messages out of the oldest segment, so that it and those behind it can
 * go. */
#include "queue/queue_state.h"

/* One round copies at most so much. */
#define MOVES_MAX      256
#define MOVE_BYTES_MAX (8u << 20)

/* Marks of recipients and the last wait may lie in segments that go: they are written again behind
 * the copy, where replay knows the message when it comes to them. */
static void repeat_notes(struct queue *q, const struct queue_entry *e)
{
	if (e->attempts || e->held)
		queue_note_wait(q, e);
	for (uint32_t i = 0; e->open < e->recipient_count && i < e->recipient_count; i++) {
		if (queue_entry_rcpt(e, i) == QUEUE_RCPT_FINISHED)
			queue_mark(q, e->id, i);
	}
	queue_notes_post(q);
}

/* The entry may be finished and gone by now: its mark is behind the copy then. */
static void moved(struct queue *q, struct queue_append *a)
{
	struct queue_entry *e = queue_entries_find(&q->entries, a->append.id);

	if (!e)
		return;
	e->moving = false;
	if (a->append.result == 0 && !e->active)
		queue_entry_place(e, a->append.segment, a->append.offset);
}

static void move(struct queue *q, struct queue_entry *e)
{
	struct queue_append *a = queue_append_new(JOURNAL_MESSAGE, e->id);

	a->append.envelope_length = e->envelope_length;
	a->append.recipient_count = e->recipient_count;
	a->append.is_copy = true;
	a->append.copy_crc = e->crc;
	queue_append_piece(a, journal_piece_file(e->segment->fd, e->offset + JOURNAL_RECORD_HEADER,
						 e->length));
	a->committed = moved;
	e->moving = true;
	queue_commit_post(&q->commit, a);
	repeat_notes(q, e);
}

void queue_compact(struct queue *q)
{
	struct journal_segment *s = journal_compactable(q->journal);
	uint64_t bytes = 0;
	unsigned count = 0;

	if (!s)
		return;
	LIST_FOREACH (it, &s->entries) {
		struct queue_entry *e = LIST_ITEM(it, struct queue_entry, by_segment);

		/* Somebody is reading it where it is. */
		if (e->active || e->moving)
			continue;
		if (count++ == MOVES_MAX || bytes > MOVE_BYTES_MAX)
			return;
		bytes += e->length;
		move(q, e);
	}
}
