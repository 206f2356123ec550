#include "queue/queue_entry.h"

#include <stdlib.h>

static struct str id_key(const uint64_t *id)
{
	return str_of(id, sizeof(*id));
}

void queue_entries_init(struct queue_entries *t)
{
	*t = (struct queue_entries){ 0 };
	map_init(&t->by_id);
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
	for (struct map_slot *s = map_next(&t->by_id, NULL); s; s = map_next(&t->by_id, s))
		entry_free(s->value);
	map_done(&t->by_id);
}

struct queue_entry *queue_entries_find(const struct queue_entries *t, uint64_t id)
{
	return map_get(&t->by_id, id_key(&id));
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
	map_put(&t->by_id, id_key(&e->id), e);
	t->count[QUEUE_COMMITTING]++;
	return e;
}

void queue_entries_remove(struct queue_entries *t, struct queue_entry *e)
{
	check(!e->active && list_empty(&e->link));
	map_remove(&t->by_id, id_key(&e->id));
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
