/* A policy that is understood has a bounded age and, where it asks for something, hosts. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "courier/sts_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size), id;
	struct sts_policy p;

	if (sts_id_find(&text, 1, &id))
		check(id.n && id.n <= STS_ID_MAX);
	if (sts_policy_parse(text, &a, &p, NULL) < 0)
		return 0;
	check(p.max_age <= STS_MAX_AGE && p.mx_count <= STS_MX_MAX);
	check(p.mode == TLS_STS_NONE || p.mx_count);
	check(!sts_policy_names(&p, STR("")));
	return 0;
}
