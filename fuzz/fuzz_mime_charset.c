/* Any text in any charset gives valid UTF-8, the same wherever it is cut. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mime/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* first line: the charset; first byte: the size of the pieces */
	struct str name, text;
	if (size == 0 || !str_cut(str_of(data + 1, size - 1), '\n', &name, &text))
		return 0;

	auto_arena struct arena a = ARENA_INIT;
	auto_charset struct mime_charset c;
	struct buf whole, pieces;
	size_t step = (size_t)data[0] + 1;
	buf_init(&whole, &a, 16 * text.n + 16);
	buf_init(&pieces, &a, 16 * text.n + 16);
	mime_charset_to_utf8(name, text, &whole);
	mime_charset_open(&c, name);
	for (size_t at = 0; at < text.n; at += step)
		mime_charset_put(&c, str_sub(text, at, step), &pieces);
	mime_charset_finish(&c, &pieces);
	check(!buf_failed(&whole) && !buf_failed(&pieces));
	check(utf8_is_valid(buf_str(&whole)));
	/* Within ill-formed text ICU's converters may see pieces differently. */
	if (c.kind != MIME_CHARSET_ICU)
		check(str_eq(buf_str(&whole), buf_str(&pieces)));
	return 0;
}
