/* Whatever base64_parse or hex_parse accepts is written back to the same text. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size);
	struct buf bytes, again;

	buf_init(&bytes, &a, size);
	buf_init(&again, &a, size * 2 + 4);
	if (base64_parse(text, &bytes) == 0) {
		base64_write(&again, buf_str(&bytes));
		check(str_eq(buf_str(&again), text));
	}
	check(!buf_failed(&bytes));

	buf_clear(&bytes);
	buf_clear(&again);
	if (hex_parse(text, &bytes) == 0) {
		hex_write(&again, buf_str(&bytes));
		check(str_eq_nocase(buf_str(&again), text));
	}
	return 0;
}
