/* An access table, then a NUL, then an address to look up. */
#include <stddef.h>
#include <stdint.h>

#include "auth/access.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct access_table t = { 0 };
	struct str table, address;

	str_cut(str_of(data, size), '\0', &table, &address);
	access_parse(&t, &a, table, NULL);
	const struct access_rule *rule = access_find(&t, address, '+');
	if (rule && rule->action == ACCESS_REJECT)
		check(rule->code >= 400 && rule->code <= 599);
	access_done(&t);
	return 0;
}
