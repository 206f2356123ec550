/* Open sessions between two messages to the same destination. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/str.h"

struct client;

struct cache {
	struct list idle; /* oldest first */
	unsigned count, max;
	int64_t idle_ms;
	bool sweeping;
};

void cache_init(struct cache *c, unsigned max, int64_t idle_ms);
void cache_done(struct cache *c);

/* A session that was put under this key and is alive as far as can be seen, or NULL. */
struct client *may_suspend cache_take(struct cache *c, struct str key);

/* Keep a session; beyond `max` the oldest one ends. Taken. */
void may_suspend cache_put(struct cache *c, struct str key, struct client *client);

/* End the sessions that have been idle for too long. For a fiber that runs while there are any. */
void may_suspend cache_sweep(struct cache *c);
