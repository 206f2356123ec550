#include "smtp/known.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"

struct known_address {
	int64_t until;
};

struct smtp_known {
	struct map by_address;
	struct arena arena;
	size_t max;
};

struct smtp_known *smtp_known_new(size_t max)
{
	struct smtp_known *k = calloc(1, sizeof(*k));
	if (!k)
		check_no_memory();
	map_init(&k->by_address);
	arena_init(&k->arena);
	k->max = max;
	return k;
}

void smtp_known_free(struct smtp_known *k)
{
	if (!k)
		return;
	map_done(&k->by_address);
	arena_done(&k->arena);
	free(k);
}

bool smtp_known_has(struct smtp_known *k, const char *address, int64_t now)
{
	struct known_address *a = map_get(&k->by_address, str_from(address));
	return a && a->until > now;
}

static void forget_all(struct smtp_known *k)
{
	map_done(&k->by_address);
	map_init(&k->by_address);
	arena_reset(&k->arena);
}

void smtp_known_add(struct smtp_known *k, const char *address, int64_t now)
{
	struct str key = str_from(address);
	struct known_address *a = map_get(&k->by_address, key);
	if (!a) {
		if (k->by_address.count >= k->max)
			forget_all(k);
		a = ARENA_NEW(&k->arena, struct known_address);
		map_put(&k->by_address, arena_str(&k->arena, key), a);
	}
	a->until = now + SMTP_KNOWN_MS;
}
