/* Who a message comes from, for taking turns: a login or a client, and the address that it sends
 * from. The second part keeps a newsletter apart from what else the same program sends. */
#include <stdlib.h>

#include "queue/queue_state.h"

static struct str key_of(const struct queue_source *s)
{
	return str_of(&s->key, sizeof(s->key));
}

/* Mailings have the recipient in their reverse-path: "news+alice=example.org@lists.example.net". */
static struct str without_recipient(struct str sender)
{
	for (size_t i = 0; i < sender.n; i++)
		if (sender.p[i] == '+' || sender.p[i] == '=' || sender.p[i] == '@')
			return str_sub(sender, 0, i);
	return sender;
}

uint32_t queue_source_key(const struct queue *q, const struct envelope *e)
{
	ssize_t at = str_rfind_byte(e->sender, '@');
	uint64_t seed = q->source_seed;

	seed = str_hash(e->auth_user.n ? e->auth_user : e->client_address, seed);
	seed = str_hash(without_recipient(e->sender), seed);
	seed = str_hash(at < 0 ? STR_NONE : str_skip(e->sender, (size_t)at), seed);
	uint32_t key = (uint32_t)seed << QUEUE_URGENCY_BITS | queue_urgency_of(e->flags);
	/* 0: not known yet. */
	return key ? key : 1u << QUEUE_URGENCY_BITS;
}

static struct queue_source *source_of(struct queue *q, uint32_t key)
{
	struct queue_source *s = map_get(&q->sources, str_of(&key, sizeof(key)));

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		check_no_memory();
	s->key = key;
	list_init(&s->turn);
	list_init(&s->incoming);
	map_put(&q->sources, key_of(s), s);
	return s;
}

static void free_if_unused(struct queue *q, struct queue_source *s)
{
	if (s->active || !list_empty(&s->incoming))
		return;
	list_remove(&s->turn);
	map_remove(&q->sources, key_of(s));
	free(s);
}

void queue_source_add(struct queue *q, struct queue_entry *e)
{
	struct queue_source *s = source_of(q, e->source);

	list_append(&s->incoming, &e->link);
	if (list_empty(&s->turn))
		list_append(&q->turns[queue_urgency_of_source(e->source)], &s->turn);
}

bool queue_source_is_full(const struct queue *q, uint32_t key)
{
	const struct queue_source *s = map_get(&q->sources, str_of(&key, sizeof(key)));

	return s && s->active >= queue_source_limit(q);
}

void queue_source_enter(struct queue *q, uint32_t key)
{
	source_of(q, key)->active++;
}

void queue_source_leave(struct queue *q, uint32_t key)
{
	struct queue_source *s = source_of(q, key);

	check(s->active > 0);
	s->active--;
	free_if_unused(q, s);
}

/* Entries can leave from the middle of the list, so a source may have none when its turn comes. */
static struct queue_entry *next_of(struct queue *q, struct list *turns)
{
	uint32_t limit = queue_source_limit(q);
	struct list refused;
	struct queue_entry *e = NULL;

	list_init(&refused);
	while (!e && !list_empty(turns)) {
		struct queue_source *s = LIST_ITEM(list_shift(turns), struct queue_source, turn);
		if (list_empty(&s->incoming)) {
			free_if_unused(q, s);
		} else if (s->active >= limit) {
			list_append(&refused, &s->turn);
		} else {
			e = LIST_ITEM(list_shift(&s->incoming), struct queue_entry, link);
			if (!list_empty(&s->incoming))
				list_append(turns, &s->turn);
			else
				free_if_unused(q, s);
		}
	}
	while (!list_empty(&refused))
		list_append(turns, list_shift(&refused));
	return e;
}

struct queue_entry *queue_source_next(struct queue *q)
{
	struct queue_entry *e = NULL;

	for (unsigned i = 0; !e && i < QUEUE_URGENCIES; i++)
		e = next_of(q, &q->turns[queue_urgency_choice(q->turn, i)]);
	q->turn += e != NULL;
	return e;
}

void queue_sources_done(struct queue *q)
{
	for (struct map_slot *s = map_next(&q->sources, NULL); s; s = map_next(&q->sources, s))
		free(s->value);
	map_done(&q->sources);
}
