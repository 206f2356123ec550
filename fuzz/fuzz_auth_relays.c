/* Every entry is found under its own key, and no next hop holds a blank. */
#include <stddef.h>
#include <stdint.h>

#include "auth/relays.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct relays t = { 0 };

	relays_parse(&t, &a, str_of(data, size), NULL);
	for (struct map_slot *s = map_next(&t.by_sender, NULL); s; s = map_next(&t.by_sender, s)) {
		const struct relay *r = relays_find(&t, s->key, '+');
		check(r && str_find_byte(r->nexthop, ' ') < 0);
	}
	relays_done(&t);
	return 0;
}
