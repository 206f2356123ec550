/* Every limit that is read fits a signed 64-bit number. */
#include <stddef.h>
#include <stdint.h>

#include "auth/quotas.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct quotas t = { 0 };

	quotas_parse(&t, &a, str_of(data, size), NULL);
	for (struct map_slot *s = map_next(&t.by_login, NULL); s; s = map_next(&t.by_login, s)) {
		uint64_t bytes;
		check(quotas_find(&t, s->key, &bytes) && bytes <= INT64_MAX);
	}
	quotas_done(&t);
	return 0;
}
