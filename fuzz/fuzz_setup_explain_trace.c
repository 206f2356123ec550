/* What stands on top of a message, whoever wrote it: slices stay within it. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "setup/explain_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str message = arena_str(&a, str_of(data, size));
	struct explain_trace t;

	explain_trace_read(message, STR("mail.example.org"), &a, &t);
	check(t.size <= message.n && t.result_count <= EXPLAIN_RESULTS_MAX);
	check(t.ours || (!t.size && !t.has_sender && !t.client_address.n));
	check(str_find_byte(t.helo, '\n') < 0 && str_find_byte(t.client_address, ']') < 0);
	return 0;
}
