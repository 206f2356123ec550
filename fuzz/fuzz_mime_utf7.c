/* Names and UTF-8 text correspond one to one. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mime/utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size);
	struct buf one, two;
	buf_init(&one, &a, 4 * size + 4);
	buf_init(&two, &a, 4 * size + 4);

	if (mime_utf7_decode(text, &one) == 0) {
		check(utf8_is_valid(buf_str(&one)));
		check(mime_utf7_encode(buf_str(&one), &two) == 0);
		check(!buf_failed(&one) && !buf_failed(&two));
		check(str_eq(buf_str(&two), text));
	}
	buf_clear(&one);
	buf_clear(&two);
	if (mime_utf7_encode(text, &one) == 0) {
		check(str_is_printable(buf_str(&one)));
		check(mime_utf7_decode(buf_str(&one), &two) == 0);
		check(!buf_failed(&one) && !buf_failed(&two));
		check(str_eq(buf_str(&two), text));
	}
	return 0;
}
