#include "queue/queue_entry.h"

#include <stdlib.h>

#include "base/rand.h"
#include "base/str.h"

#define BUCKETS_MIN 64

void queue_entries_init(struct queue_entries *t)
{
	*t = (struct queue_entries){ .seed = rand_seed() };
}

/* Ids follow each other in time, and clients can guess them. */
static struct queue_entry **bucket_of(const struct queue_entries *t, uint64_t id)
{
	return &t->buckets[str_hash(str_of(&id, sizeof(id)), t->seed) & (t->bucket_count - 1)];
}

static void grow(struct queue_entries *t)
{
	struct queue_entries old = *t;

	t->bucket_count = old.bucket_count ? old.bucket_count * 2 : BUCKETS_MIN;
	t->buckets = calloc(t->bucket_count, sizeof(struct queue_entry *));
	if (!t->buckets)
		check_no_memory();
	for (size_t i = 0; i < old.bucket_count; i++) {
		for (struct queue_entry *e = old.buckets[i], *next; e; e = next) {
			struct queue_entry **bucket = bucket_of(t, e->id);
			next = e->next;
			e->next = *bucket;
			*bucket = e;
		}
	}
	free(old.buckets);
}

static struct queue_entry *first_from(const struct queue_entries *t, size_t bucket)
{
	while (bucket < t->bucket_count && !t->buckets[bucket])
		bucket++;
	return bucket < t->bucket_count ? t->buckets[bucket] : NULL;
}

struct queue_entry *queue_entries_next(const struct queue_entries *t,
				       const struct queue_entry *after)
{
	if (!after)
		return first_from(t, 0);
	return after->next ? after->next
			   : first_from(t, (size_t)(bucket_of(t, after->id) - t->buckets) + 1);
}

static uint8_t *states(struct queue_entry *e)
{
	return e->recipient_count <= QUEUE_RCPT_INLINE ? e->rcpt.inline_states : e->rcpt.states;
}

static void entry_free(struct queue_entry *e)
{
	list_remove(&e->by_segment);
	if (e->segment)
		e->segment->live_bytes -= journal_record_size(e->length);
	if (e->recipient_count > QUEUE_RCPT_INLINE)
		free(e->rcpt.states);
	free(e);
}

void queue_entries_done(struct queue_entries *t)
{
	for (size_t i = 0; i < t->bucket_count; i++) {
		for (struct queue_entry *e = t->buckets[i], *next; e; e = next) {
			next = e->next;
			entry_free(e);
		}
	}
	free(t->buckets);
	*t = (struct queue_entries){ 0 };
}

struct queue_entry *queue_entries_find(const struct queue_entries *t, uint64_t id)
{
	struct queue_entry *e = t->bucket_count ? *bucket_of(t, id) : NULL;

	while (e && e->id != id)
		e = e->next;
	return e;
}

struct queue_entry *queue_entries_add(struct queue_entries *t, uint64_t id, uint32_t recipients)
{
	if (queue_entries_find(t, id))
		return NULL;
	struct queue_entry *e = calloc(1, sizeof(*e));
	if (!e)
		check_no_memory();
	e->id = id;
	e->recipient_count = e->open = recipients;
	list_init(&e->by_segment);
	list_init(&e->link);
	if (recipients > QUEUE_RCPT_INLINE) {
		e->rcpt.states = calloc(recipients, 1);
		if (!e->rcpt.states)
			check_no_memory();
	}
	if (t->total++ >= t->bucket_count)
		grow(t);
	struct queue_entry **bucket = bucket_of(t, id);
	e->next = *bucket;
	*bucket = e;
	t->count[QUEUE_COMMITTING]++;
	return e;
}

void queue_entries_remove(struct queue_entries *t, struct queue_entry *e)
{
	check(!e->active && list_empty(&e->link));
	struct queue_entry **at = bucket_of(t, e->id);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->total--;
	t->count[e->state]--;
	entry_free(e);
}

void queue_entry_set_state(struct queue_entries *t, struct queue_entry *e,
			   enum queue_entry_state state)
{
	t->count[e->state]--;
	t->count[state]++;
	e->state = (uint8_t)state;
}

void queue_entry_place(struct queue_entry *e, struct journal_segment *s, uint64_t offset)
{
	uint64_t size = journal_record_size(e->length);

	list_remove(&e->by_segment);
	if (e->segment)
		e->segment->live_bytes -= size;
	e->segment = s;
	e->offset = offset;
	s->live_bytes += size;
	list_append(&s->entries, &e->by_segment);
}

enum queue_rcpt_state queue_entry_rcpt(const struct queue_entry *e, uint32_t i)
{
	check(i < e->recipient_count);
	return e->recipient_count <= QUEUE_RCPT_INLINE ? e->rcpt.inline_states[i]
						       : e->rcpt.states[i];
}

void queue_entry_set_rcpt(struct queue_entry *e, uint32_t i, enum queue_rcpt_state state)
{
	enum queue_rcpt_state before = queue_entry_rcpt(e, i);

	if (before != QUEUE_RCPT_FINISHED && state == QUEUE_RCPT_FINISHED)
		e->open--;
	check(before != QUEUE_RCPT_FINISHED || state == QUEUE_RCPT_FINISHED);
	states(e)[i] = (uint8_t)state;
}

bool queue_entry_has_rcpt(const struct queue_entry *e, enum queue_rcpt_state state)
{
	for (uint32_t i = 0; i < e->recipient_count; i++) {
		if (queue_entry_rcpt(e, i) == state)
			return true;
	}
	return false;
}
