/* What the journal is told about messages that it holds: marks and waits. They are collected, and
 * written with the next commit that somebody needs. */
#include <stdlib.h>

#include "queue/queue_state.h"

/* Notes that one record holds at most. */
#define NOTES_MAX 4096

static void grow(struct queue_notes *n)
{
	if (n->count < n->cap)
		return;
	n->cap = n->cap ? n->cap * 2 : 64;
	n->v = realloc(n->v, n->cap * sizeof(*n->v));
	if (!n->v)
		check_no_memory();
}

static char *add(struct queue *q, struct queue_notes *n)
{
	grow(n);
	if (q->marks.count + q->waits.count == 0)
		waitq_wake_one(&q->checkpoint);
	return n->v[n->count++].bytes;
}

void queue_mark(struct queue *q, uint64_t id, uint32_t recipient)
{
	journal_mark_write(&(struct journal_mark){ .id = id, .recipient = recipient },
			   add(q, &q->marks));
}

static uint32_t wall_seconds(const struct queue *q, int64_t at)
{
	int64_t s = (queue_now_usec(q) + (at - loop_now()) * 1000 + 999999) / 1000000;

	return s > 0 ? (uint32_t)s : 0;
}

static struct journal_wait wait_of(const struct queue *q, const struct queue_entry *e)
{
	return (struct journal_wait){
		.id = e->id,
		.next = wall_seconds(q, e->next_try),
		.attempts = e->attempts,
		.flags = (uint16_t)((e->held ? JOURNAL_WAIT_HELD : 0) |
				    (e->warned ? JOURNAL_WAIT_WARNED : 0)),
	};
}

void queue_note_wait(struct queue *q, const struct queue_entry *e)
{
	struct journal_wait w = wait_of(q, e);

	journal_wait_write(&w, add(q, &q->waits));
}

/* Marks that could not be written are kept for the next time: until then a restart would repeat
 * deliveries. A wait that is lost is only an attempt that comes early. */
static void committed(struct queue *q, struct queue_append *a)
{
	if (a->append.result == 0 || a->append.type != JOURNAL_MARKS)
		return;
	struct str bytes = a->append.pieces[0].bytes;
	for (size_t i = 0; i < bytes.n; i += JOURNAL_MARK_SIZE)
		memcpy(add(q, &q->marks), bytes.p + i, JOURNAL_MARK_SIZE);
}

static struct queue_append *record_of(enum journal_type type, const void *notes, size_t count)
{
	struct queue_append *a = queue_append_new(type, 0);
	size_t n = count * JOURNAL_MARK_SIZE;
	char *bytes = arena_alloc(&a->arena, n);

	memcpy(bytes, notes, n);
	queue_append_piece(a, journal_piece_bytes(str_of(bytes, n)));
	a->append.relaxed = true;
	a->committed = committed;
	return a;
}

static void post(struct queue *q, enum journal_type type, struct queue_notes *n)
{
	for (size_t done = 0; done < n->count;) {
		size_t part = n->count - done < NOTES_MAX ? n->count - done : NOTES_MAX;
		queue_commit_post(&q->commit, record_of(type, &n->v[done], part));
		done += part;
	}
	n->count = 0;
}

void queue_notes_post(struct queue *q)
{
	post(q, JOURNAL_MARKS, &q->marks);
	post(q, JOURNAL_WAITS, &q->waits);
}

/* Whoever writes the message repeats them without a condition when it is there: nothing is lost if
 * they are. */
void queue_mark_with(struct queue *q, uint64_t id, const struct journal_mark *marks, size_t count)
{
	struct queue_append *a = queue_append_new(JOURNAL_MARKS, 0);
	const struct journal_mark condition = { .id = id, .recipient = JOURNAL_MARK_IF };
	size_t n = count * 2 * JOURNAL_MARK_SIZE;
	char *bytes = arena_alloc(&a->arena, n);

	for (size_t i = 0; i < count; i++) {
		journal_mark_write(&condition, bytes + i * 2 * JOURNAL_MARK_SIZE);
		journal_mark_write(&marks[i], bytes + (i * 2 + 1) * JOURNAL_MARK_SIZE);
	}
	queue_append_piece(a, journal_piece_bytes(str_of(bytes, n)));
	queue_commit_post(&q->commit, a);
}

int queue_note_wait_now(struct queue *q, const struct queue_entry *e)
{
	struct journal_wait w = wait_of(q, e);
	char bytes[JOURNAL_WAIT_SIZE];

	journal_wait_write(&w, bytes);
	struct queue_append *a = record_of(JOURNAL_WAITS, bytes, 1);
	a->append.relaxed = false;
	return queue_commit_wait(&q->commit, a);
}

bool queue_notes_empty(const struct queue *q)
{
	return q->marks.count + q->waits.count == 0;
}

void queue_notes_done(struct queue *q)
{
	free(q->marks.v);
	free(q->waits.v);
}
