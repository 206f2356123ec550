/* Every login is found under its own key and has a name and a password. */
#include <stddef.h>
#include <stdint.h>

#include "auth/relay_logins.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct relay_logins t = { 0 };

	relay_logins_parse(&t, &a, str_of(data, size), NULL);
	for (struct map_slot *s = map_next(&t.by_key, NULL); s; s = map_next(&t.by_key, s)) {
		const struct relay_login *l = relay_logins_of_nexthop(&t, s->key);
		check(l && l->user.n && l->password.n);
	}
	relay_logins_done(&t);
	return 0;
}
