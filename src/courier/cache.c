#include "courier/cache.h"

#include <stdlib.h>
#include <string.h>

#include "core/fiber.h"
#include "core/loop.h"
#include "core/stream.h"
#include "courier/client.h"

struct idle {
	struct list link;
	struct client *client;
	int64_t until;
	size_t n;
	char key[];
};

void cache_init(struct cache *c, unsigned max, int64_t idle_ms)
{
	*c = (struct cache){ .max = max, .idle_ms = idle_ms };
	list_init(&c->idle);
}

/* Out of the list before anything waits. */
static struct client *take(struct cache *c, struct idle *i)
{
	struct client *client = i->client;

	list_remove(&i->link);
	c->count--;
	free(i);
	return client;
}

void cache_done(struct cache *c)
{
	LIST_FOREACH_SAFE (l, &c->idle)
		client_free(take(c, LIST_ITEM(l, struct idle, link)));
}

static struct idle *newest(struct cache *c, struct str key)
{
	for (struct list *l = c->idle.prev; l != &c->idle; l = l->prev) {
		struct idle *i = LIST_ITEM(l, struct idle, link);
		if (str_eq(str_of(i->key, i->n), key))
			return i;
	}
	return NULL;
}

struct client *cache_take(struct cache *c, struct str key)
{
	struct idle *i;

	while ((i = newest(c, key))) {
		struct client *client = take(c, i);
		/* A server that has something to say now says goodbye. */
		if (stream_wait_input(client->s, 0) == 0) {
			client->reused = true;
			return client;
		}
		client_free(client);
	}
	return NULL;
}

void cache_put(struct cache *c, struct str key, struct client *client)
{
	if (c->max == 0) {
		client_quit(client);
		return;
	}
	struct idle *i = malloc(sizeof(*i) + key.n);
	if (!i)
		check_no_memory();
	*i = (struct idle){ .client = client, .until = loop_deadline(c->idle_ms), .n = key.n };
	memcpy(i->key, key.p, key.n);
	list_append(&c->idle, &i->link);
	c->count++;
	while (c->count > c->max)
		client_quit(take(c, LIST_ITEM(c->idle.next, struct idle, link)));
}

void cache_sweep(struct cache *c)
{
	while (!list_empty(&c->idle)) {
		struct idle *i = LIST_ITEM(c->idle.next, struct idle, link);
		if (i->until <= loop_now())
			client_quit(take(c, i));
		else if (fiber_sleep(i->until - loop_now()) < 0)
			return;
	}
}
