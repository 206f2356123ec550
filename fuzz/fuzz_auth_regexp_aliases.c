/* A table of patterns, then a NUL, then an address to look up. */
#include <stddef.h>
#include <stdint.h>

#include "auth/regexp_aliases.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct regexp_aliases t = { 0 };
	struct str table, address, result;

	str_cut(str_of(data, size), '\0', &table, &address);
	regexp_aliases_parse(&t, &a, table, NULL);
	if (regexp_aliases_find(&t, address, &a, &result, NULL) == 1)
		check(result.n <= REGEXP_RESULT_MAX);
	regexp_aliases_done(&t);
	return 0;
}
