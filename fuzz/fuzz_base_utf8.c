/* Valid text is the encoding of its code points; any text is read to its end. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size), rest = text;
	struct buf out;
	uint32_t cp;
	bool valid = true;

	buf_init(&out, &a, size * 3);
	while (rest.n) {
		if (utf8_next(&rest, &cp) < 0) {
			valid = false;
			cp = 0xfffd;
		}
		utf8_put(&out, cp);
	}
	check(!buf_failed(&out));
	check(utf8_is_valid(buf_str(&out)));
	check(valid == utf8_is_valid(text));
	if (valid)
		check(str_eq(buf_str(&out), text));
	return 0;
}
