/* What searches see of a message: valid UTF-8 on lines, the same however HTML is cut. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mime/html.h"
#include "mime/preview.h"
#include "mime/structure.h"
#include "mime/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool put(void *ctx, enum mime_text_place place, struct str folded, bool end)
{
	struct buf *b = ctx;

	(void)place;
	check(utf8_is_valid(folded));
	buf_put_str(b, folded);
	if (end)
		buf_putc(b, '\n');
	return b->n < 1 << 20;
}

static void show(struct str html, size_t step, struct buf *out)
{
	struct mime_html h;

	mime_html_init(&h);
	for (size_t i = 0; i < html.n; i += step)
		mime_html_put(&h, str_sub(html, i, step), out);
	mime_html_finish(&h, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str s = str_of(data, size);
	struct mime_structure st;
	struct buf text, whole, cut;

	mime_structure_parse(s, MIME_STRUCTURE_LIMITS, &a, &st);
	buf_init(&text, &a, SIZE_MAX / 2);
	(void)mime_text_message(s, &st, true, put, &text);
	check(str_find_byte(buf_str(&text), '\r') < 0);
	buf_clear(&text);
	mime_preview_write(&text, s, &st, &a);
	check(utf8_is_valid(buf_str(&text)) && text.n <= 4 * MIME_PREVIEW_CHARS);

	buf_init(&whole, &a, SIZE_MAX / 2);
	buf_init(&cut, &a, SIZE_MAX / 2);
	show(s, size + 1, &whole);
	show(s, size ? 1 + data[0] % 7 : 1, &cut);
	check(str_eq(buf_str(&whole), buf_str(&cut)));
	return 0;
}
