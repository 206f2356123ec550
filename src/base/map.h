/* Hash table from byte strings to pointers. Keys are not copied: they live as long as the entry. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct map_slot {
	struct str key;
	void *value; /* NULL: free slot */
	uint64_t hash;
};

struct map {
	struct map_slot *slots;
	size_t count;
	size_t cap; /* 0 or a power of two */
	uint64_t seed;
};

void map_init(struct map *m);
void map_done(struct map *m);

/* NULL when the key is unknown. */
void *map_get(const struct map *m, struct str key);

/* Add or replace; value is not NULL. Returns the value that was there before, or NULL. */
void *map_put(struct map *m, struct str key, void *value);

/* Remove; returns the value that was there, or NULL. */
void *map_remove(struct map *m, struct str key);

/* Visit all entries in no order: `for (struct map_slot *s = map_next(m, NULL); s; s =
 * map_next(m, s))`. The map must not change meanwhile. */
struct map_slot *map_next(const struct map *m, const struct map_slot *after);
