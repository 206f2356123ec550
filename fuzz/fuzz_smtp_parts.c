/* The cleaning of parts: the same comes out whatever the pieces are, nothing is added, and a second
 * pass finds nothing more. The input is a header and its body; its first byte is the piece. */
#include <stdint.h>

#include "base/arena.h"
#include "mime/header.h"
#include "smtp/parts.h"

static void pass(struct str header, struct str body, size_t step, struct buf *out)
{
	static const struct smtp_head_cleaning cleaning = { .submitted = true };
	struct smtp_parts p;

	smtp_parts_init(&p, &cleaning, header);
	for (size_t at = 0; at < body.n;) {
		struct str rest = str_sub(body, at, step), piece;
		at += rest.n;
		while (rest.n) {
			bool held;
			rest = str_skip(rest, smtp_parts_feed(&p, rest, &piece, &held));
			buf_put_str(out, piece);
		}
	}
	buf_put_str(out, smtp_parts_finish(&p));
	smtp_parts_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	auto_arena struct arena a = ARENA_INIT;
	struct str in = str_of(data + 1, size - 1);
	size_t n = mime_header_size(in);
	struct str header = str_sub(in, 0, n), body = str_skip(in, n);
	struct buf whole, pieces;

	buf_init(&whole, &a, 2 * size + 64);
	buf_init(&pieces, &a, 2 * size + 64);
	pass(header, body, SIZE_MAX, &whole);
	pass(header, body, data[0] ? data[0] : 1, &pieces);
	check(!buf_failed(&whole) && str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_clear(&pieces);
	pass(header, buf_str(&whole), SIZE_MAX, &pieces);
	check(str_eq(buf_str(&whole), buf_str(&pieces)));
	return 0;
}
