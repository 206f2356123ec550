#include "base/map.h"

#include <stdlib.h>

#include "base/rand.h"

#define MAP_CAP_MIN 16

void map_init(struct map *m)
{
	*m = (struct map){ .seed = rand_seed() };
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

/* Linear probing: the slot that holds the key, or the free one where it belongs. */
static struct map_slot *find_slot(const struct map *m, struct str key, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);
	while (m->slots[i].value) {
		if (m->slots[i].hash == hash && str_eq(m->slots[i].key, key))
			break;
		i = (i + 1) & (m->cap - 1);
	}
	return &m->slots[i];
}

void *map_get(const struct map *m, struct str key)
{
	return m->count ? find_slot(m, key, str_hash(key, m->seed))->value : NULL;
}

static void map_grow(struct map *m)
{
	struct map old = *m;
	m->cap = old.cap ? old.cap * 2 : MAP_CAP_MIN;
	m->slots = calloc(m->cap, sizeof(*m->slots));
	if (!m->slots)
		check_no_memory();
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value)
			*find_slot(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

void *map_put(struct map *m, struct str key, void *value)
{
	check(value);
	if (m->count * 4 >= m->cap * 3)
		map_grow(m);

	uint64_t hash = str_hash(key, m->seed);
	struct map_slot *s = find_slot(m, key, hash);
	void *before = s->value;
	*s = (struct map_slot){ .key = key, .value = value, .hash = hash };
	m->count += !before;
	return before;
}

/* Close the gap that a removed entry leaves: entries after it in the same run move up. */
static void close_gap(struct map *m, size_t gap)
{
	size_t i = gap;
	for (;;) {
		i = (i + 1) & (m->cap - 1);
		if (!m->slots[i].value)
			break;
		size_t home = m->slots[i].hash & (m->cap - 1);
		if (((i - home) & (m->cap - 1)) < ((i - gap) & (m->cap - 1)))
			continue;
		m->slots[gap] = m->slots[i];
		gap = i;
	}
	m->slots[gap].value = NULL;
}

void *map_remove(struct map *m, struct str key)
{
	if (!m->count)
		return NULL;
	struct map_slot *s = find_slot(m, key, str_hash(key, m->seed));
	void *value = s->value;
	if (!value)
		return NULL;
	m->count--;
	close_gap(m, (size_t)(s - m->slots));
	return value;
}

struct map_slot *map_next(const struct map *m, const struct map_slot *after)
{
	for (size_t i = after ? (size_t)(after - m->slots) + 1 : 0; i < m->cap; i++)
		if (m->slots[i].value)
			return &m->slots[i];
	return NULL;
}
