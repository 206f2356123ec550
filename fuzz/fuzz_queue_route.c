/* What is accepted has a form of its own: parsing it again changes nothing. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "queue/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str once, twice;
	struct err err;

	if (route_parse(str_of(data, size), &a, &once, &err) == 0)
		check(route_parse(once, &a, &twice, &err) == 0 && str_eq(once, twice));
	return 0;
}
