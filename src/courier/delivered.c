#include "courier/delivered.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/loop.h"
#include "courier/courier.h"

/* More than can be under way at a time, and what is answered until a mark is on disk. */
#define DELIVERED_MAX 20000

struct entry {
	struct list link;
	struct arena arena;
	struct str key;
	struct courier_result result;
};

void delivered_init(struct delivered *d)
{
	*d = (struct delivered){ 0 };
	map_init(&d->by_key);
	list_init(&d->all);
	list_init(&d->running);
	waitq_init(&d->ended);
}

static void forget(struct delivered *d, struct entry *e)
{
	list_remove(&e->link);
	map_remove(&d->by_key, e->key);
	arena_done(&e->arena);
	free(e);
}

void delivered_done(struct delivered *d)
{
	while (!list_empty(&d->all))
		forget(d, LIST_ITEM(d->all.next, struct entry, link));
	map_done(&d->by_key);
}

static bool share_a_recipient(const struct courier_deliver_in *a,
			      const struct courier_deliver_in *b)
{
	for (size_t i = 0; i < a->recipients_count; i++)
		for (size_t k = 0; k < b->recipients_count; k++)
			if (str_eq(a->recipients[i].address, b->recipients[k].address))
				return true;
	return false;
}

static bool is_under_way(const struct delivered *d, const struct courier_deliver_in *in)
{
	LIST_FOREACH (it, &d->running) {
		const struct delivered_call *c = LIST_ITEM(it, struct delivered_call, link);
		if (c->in->id == in->id && share_a_recipient(c->in, in))
			return true;
	}
	return false;
}

int delivered_begin(struct delivered *d, struct delivered_call *call,
		    const struct courier_deliver_in *in)
{
	while (is_under_way(d, in)) {
		int r = waitq_wait(&d->ended, "the same delivery", LOOP_FOREVER);
		if (r < 0)
			return r;
	}
	call->in = in;
	list_append(&d->running, &call->link);
	return 0;
}

void delivered_end(struct delivered *d, struct delivered_call *call)
{
	list_remove(&call->link);
	waitq_wake_all(&d->ended);
}

static struct str key_of(struct arena *a, uint64_t id, struct str address)
{
	char *key = arena_alloc(a, sizeof(id) + address.n);

	memcpy(key, &id, sizeof(id));
	memcpy(key + sizeof(id), address.p, address.n);
	return str_of(key, sizeof(id) + address.n);
}

const struct courier_result *delivered_find(const struct delivered *d, uint64_t id,
					    struct str address)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct entry *e = map_get(&d->by_key, key_of(&a, id, address));

	return e ? &e->result : NULL;
}

void delivered_add(struct delivered *d, uint64_t id, struct str address,
		   const struct courier_result *result)
{
	struct entry *e;

	if (result->outcome != COURIER_DELIVERED || delivered_find(d, id, address))
		return;
	e = calloc(1, sizeof(*e));
	if (!e)
		check_no_memory();
	e->key = key_of(&e->arena, id, address);
	e->result = (struct courier_result){
		.outcome = result->outcome,
		.status = arena_str(&e->arena, result->status),
		.text = arena_str(&e->arena, result->text),
	};
	map_put(&d->by_key, e->key, e);
	list_append(&d->all, &e->link);
	if (d->by_key.count > DELIVERED_MAX)
		forget(d, LIST_ITEM(d->all.next, struct entry, link));
}
