#include "imap/input.h"

#include <errno.h>

#include "base/arena.h"
#include "core/stream.h"

#define INPUT_PIECE ((size_t)16384)
#define BEGINNING   128 /* of a line that is too long: holds its tag */

static struct stream *stream_of(struct imap_feed *f)
{
	return CONTAINER_OF(f, struct imap_input, feed)->stream;
}

static int may_suspend input_line(struct imap_feed *f, struct arena *a, size_t max, struct str *out)
{
	struct stream *s = stream_of(f);
	struct str line;
	int r = stream_read_line(s, max + 2, &line);

	if (r == -EMSGSIZE) {
		*out = arena_str(a, str_sub(stream_peek(s), 0, BEGINNING));
		r = stream_skip_line(s);
		return r < 0 ? r : -EMSGSIZE;
	}
	if (r < 0)
		return r;
	line = str_chomp(line);
	*out = arena_str(a, line);
	return 0;
}

static int may_suspend input_literal(struct imap_feed *f, struct arena *a, uint64_t n,
				     struct str *out)
{
	struct stream *s = stream_of(f);
	char *p = out ? arena_alloc(a, n) : NULL;
	uint64_t have = 0;

	while (have < n) {
		struct str piece = stream_peek(s);
		if (piece.n == 0) {
			ssize_t r = stream_fill(s, INPUT_PIECE);
			if (r <= 0)
				return r < 0 ? (int)r : -ENODATA;
			continue;
		}
		piece = str_sub(piece, 0, n - have);
		if (p)
			memcpy(p + have, piece.p, piece.n);
		stream_consume(s, piece.n);
		have += piece.n;
	}
	if (out)
		*out = str_of(p, n);
	return 0;
}

static int may_suspend input_ask(struct imap_feed *f)
{
	struct stream *s = stream_of(f);

	stream_puts(s, "+ OK\r\n");
	return stream_flush(s);
}

void imap_input_init(struct imap_input *in, struct stream *s)
{
	*in = (struct imap_input){
		.feed = { .line = input_line, .literal = input_literal, .ask = input_ask },
		.stream = s,
	};
}
