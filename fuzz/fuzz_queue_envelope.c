/* Whatever envelope_parse accepts is written back to the same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str bytes = str_of(data, size);
	struct envelope e;

	if (envelope_parse(bytes, &a, &e, NULL) < 0)
		return 0;

	struct buf out;
	buf_init(&out, &a, ENVELOPE_SIZE_MAX);
	envelope_write(&e, &out);
	check(!buf_failed(&out));
	check(str_eq(buf_str(&out), bytes));
	return 0;
}
