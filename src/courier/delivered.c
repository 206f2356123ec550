#include "courier/delivered.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/loop.h"
#include "courier/courier.h"

/* More than can be under way at a time, and what is answered until a mark is on disk. */
#define DELIVERED_MAX 20000

/* The strings stand behind it. */
struct entry {
	struct list link;
	struct str key;
	struct courier_result result;
};

void delivered_init(struct delivered *d)
{
	*d = (struct delivered){ 0 };
	map_init(&d->by_key);
	list_init(&d->all);
	map_init(&d->running);
	waitq_init(&d->ended);
}

static void forget(struct delivered *d, struct entry *e)
{
	list_remove(&e->link);
	map_remove(&d->by_key, e->key);
	free(e);
}

void delivered_done(struct delivered *d)
{
	while (!list_empty(&d->all))
		forget(d, LIST_ITEM(d->all.next, struct entry, link));
	map_done(&d->by_key);
	map_done(&d->running);
}

static struct str key_of(struct arena *a, uint64_t id, struct str address)
{
	char *key = arena_alloc(a, sizeof(id) + address.n);

	memcpy(key, &id, sizeof(id));
	memcpy(key + sizeof(id), address.p, address.n);
	return str_of(key, sizeof(id) + address.n);
}

static bool is_under_way(const struct delivered *d, const struct delivered_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		if (map_get(&d->running, call->keys[i]))
			return true;
	return false;
}

int delivered_begin(struct delivered *d, struct delivered_call *call,
		    const struct courier_deliver_in *in, struct arena *a)
{
	*call = (struct delivered_call){ ARENA_NEW_ARRAY(a, struct str, in->recipients_count),
					 in->recipients_count };
	for (size_t i = 0; i < call->count; i++)
		call->keys[i] = key_of(a, in->id, in->recipients[i].address);
	while (is_under_way(d, call)) {
		int r = waitq_wait(&d->ended, "the same delivery", LOOP_FOREVER);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < call->count; i++)
		map_put(&d->running, call->keys[i], call);
	return 0;
}

void delivered_end(struct delivered *d, struct delivered_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		map_remove(&d->running, call->keys[i]);
	waitq_wake_all(&d->ended);
}

const struct courier_result *delivered_find(const struct delivered *d, struct str key)
{
	const struct entry *e = map_get(&d->by_key, key);

	return e ? &e->result : NULL;
}

static struct str append(char **to, struct str s)
{
	char *p = *to;

	memcpy(p, s.p, s.n);
	*to += s.n;
	return str_of(p, s.n);
}

void delivered_add(struct delivered *d, struct str key, const struct courier_result *result)
{
	struct entry *e;

	if (result->outcome != COURIER_DELIVERED || delivered_find(d, key))
		return;
	e = calloc(1, sizeof(*e) + key.n + result->status.n + result->text.n);
	if (!e)
		check_no_memory();
	char *strings = (char *)(e + 1);
	e->key = append(&strings, key);
	e->result = (struct courier_result){
		.outcome = result->outcome,
		.status = append(&strings, result->status),
		.text = append(&strings, result->text),
	};
	map_put(&d->by_key, e->key, e);
	list_append(&d->all, &e->link);
	if (d->by_key.count > DELIVERED_MAX)
		forget(d, LIST_ITEM(d->all.next, struct entry, link));
}
