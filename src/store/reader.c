#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/store.h"

#define READER_BUF ((size_t)16384)

void store_reader_init(struct store_reader *r, const struct store_file *f, struct arena *a)
{
	*r = (struct store_reader){
		.fd = f->fd,
		.expand = f->lf,
		.wire_size = f->wire_size,
		.buf = arena_alloc(a, READER_BUF),
	};
}

/* False at the end of the file and after an error. */
static bool fill(struct store_reader *r)
{
	ssize_t n;
	do
		n = pread(r->fd, r->buf, READER_BUF, (off_t)r->file_pos);
	while (n < 0 && errno == EINTR);
	r->at = 0;
	r->end = n > 0 ? (size_t)n : 0;
	r->file_pos += r->end;
	if (n < 0 && !r->error)
		r->error = -EIO;
	return n > 0;
}

/* Move bytes from buf to out until one of them is used up. Returns the bytes given. */
static size_t expand(struct store_reader *r, char *out, size_t n)
{
	size_t given = 0;
	while (given < n && r->at < r->end) {
		const char *from = r->buf + r->at;
		size_t room = n - given, have = r->end - r->at;
		size_t max = room < have ? room : have;
		const char *lf = memchr(from, '\n', max);
		size_t run = lf ? (size_t)(lf - from) : max;

		memcpy(out + given, from, run);
		given += run;
		r->at += run;
		if (run)
			r->last_was_cr = from[run - 1] == '\r';
		if (!lf)
			continue;
		out[given++] = r->last_was_cr ? '\n' : '\r';
		r->at += r->last_was_cr;
		r->last_was_cr = !r->last_was_cr;
	}
	return given;
}

static size_t copy(struct store_reader *r, char *out, size_t n)
{
	size_t have = r->end - r->at;
	if (n > have)
		n = have;
	memcpy(out, r->buf + r->at, n);
	r->at += n;
	return n;
}

size_t store_reader_read(struct store_reader *r, char *out, size_t n)
{
	uint64_t left = r->wire_size - r->wire_pos;
	if (n > left)
		n = (size_t)left;

	size_t given = 0;
	while (given < n) {
		if (r->at == r->end && !fill(r)) {
			if (!r->error)
				r->error = -EBADMSG;
			memset(out + given, ' ', n - given);
			given = n;
			break;
		}
		given += r->expand ? expand(r, out + given, n - given)
				   : copy(r, out + given, n - given);
	}
	r->wire_pos += given;

	/* More than promised is as wrong as less; the peer gets what was promised. */
	if (r->wire_pos == r->wire_size && n && !r->error && (r->at < r->end || fill(r)))
		r->error = -EBADMSG;
	return given;
}

void store_reader_seek(struct store_reader *r, uint64_t wire_pos)
{
	if (wire_pos > r->wire_size)
		wire_pos = r->wire_size;
	if (!r->expand || wire_pos < r->wire_pos) {
		r->at = r->end = 0;
		r->last_was_cr = false;
		r->file_pos = r->wire_pos = r->expand ? 0 : wire_pos;
		if (!r->expand)
			return;
	}
	char skipped[512];
	while (r->wire_pos < wire_pos) {
		uint64_t n = wire_pos - r->wire_pos;
		(void)store_reader_read(r, skipped,
					n < sizeof(skipped) ? (size_t)n : sizeof(skipped));
	}
}
