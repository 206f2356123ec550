/* The data decoder against a second one that is too simple to be wrong: byte by byte over the
 * whole. The first input bytes choose policy and block size. */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "smtp/data.h"

static void decode(struct smtp_data *d, struct str in, size_t step, struct buf *out, size_t *used)
{
	struct smtp_pieces pieces;
	*used = 0;
	while (*used < in.n && !smtp_data_ended(d)) {
		*used += smtp_data_decode(d, str_sub(in, *used, step), &pieces);
		for (size_t i = 0; i < pieces.count; i++)
			buf_put_str(out, pieces.v[i]);
	}
	check(d->size == out->n);
	if (smtp_data_ended(d))
		return;
	smtp_data_finish(d, &pieces);
	for (size_t i = 0; i < pieces.count; i++)
		buf_put_str(out, pieces.v[i]);
}

/* First the line ends, then the lines. */
static size_t naive(struct str in, bool dots, struct buf *out)
{
	bool hard = true;  /* this line began behind a CR LF */
	bool start = true; /* nothing of this line was looked at */
	bool text = false; /* something of this line was put out */
	for (size_t i = 0; i < in.n; i++) {
		if (dots && start && hard && str_starts(str_skip(in, i), STR(".\r\n")))
			return i + 3;
		bool dot = dots && start && in.p[i] == '.';
		start = false;
		if (dot)
			continue;
		bool crlf = str_starts(str_skip(in, i), STR("\r\n"));
		if (crlf || in.p[i] == '\n') {
			buf_puts(out, "\r\n");
			i += crlf;
			hard = crlf;
			start = true;
			text = false;
		} else {
			buf_putc(out, in.p[i] == '\r' ? ' ' : in.p[i]);
			text = true;
		}
	}
	if (text)
		buf_puts(out, "\r\n");
	return in.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	auto_arena struct arena a = ARENA_INIT;
	struct str in = str_of(data + 2, size - 2);
	bool dots = data[0] & 1;
	enum smtp_data_policy policy = data[0] & 2 ? SMTP_DATA_STRICT : SMTP_DATA_NORMALIZE;
	size_t step = data[1] ? data[1] : SIZE_MAX;

	struct buf out, expected;
	buf_init(&out, &a, 3 * size + 2);
	buf_init(&expected, &a, 3 * size + 2);
	struct smtp_data d;
	size_t used;
	smtp_data_init(&d, policy, dots);
	decode(&d, in, step, &out, &used);

	check(used == naive(in, dots, &expected));
	check(str_eq(buf_str(&out), buf_str(&expected)));
	check(!!(d.found & SMTP_DATA_NUL) == !!memchr(in.p, '\0', used));
	check(!!(d.found & SMTP_DATA_8BIT) == !str_is_ascii(str_sub(in, 0, used)));
	return 0;
}
