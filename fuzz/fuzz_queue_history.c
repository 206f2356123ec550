/* What is read as a line and written again reads the same. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "queue/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct history_line once, twice;
	struct buf text;

	if (size > 1000 || !history_parse(str_of(data, size), &a, &once))
		return 0;
	if (str_find_byte(once.kind, '\n') >= 0)
		return 0;
	buf_init(&text, &a, HISTORY_LINE_MAX);
	history_write(&once, &text);
	check(!buf_failed(&text));
	check(history_parse(str_chomp(buf_str(&text)), &a, &twice));
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		check(str_eq(once.fields[i], twice.fields[i]));
	return 0;
}
