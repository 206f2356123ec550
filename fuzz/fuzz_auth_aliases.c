/* Both alias formats: every entry has targets within bounds and is found by its key. */
#include <stddef.h>
#include <stdint.h>

#include "auth/aliases.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(struct aliases *t)
{
	for (const struct alias *alias = t->first; alias; alias = alias->next) {
		check(alias->count > 0 && alias->count <= ALIAS_TARGETS_MAX);
		check(aliases_find(t, alias->key) == alias);
	}
	aliases_done(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct aliases virtual = { 0 }, local = { 0 };

	aliases_parse_virtual(&virtual, &a, str_of(data, size), NULL);
	check_table(&virtual);
	aliases_parse_local(&local, &a, str_of(data, size), NULL);
	check_table(&local);
	return 0;
}
