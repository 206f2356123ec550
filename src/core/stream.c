#include "core/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/loop.h"

/* One TLS record, and four pages. */
#define STREAM_BLOCK	   ((size_t)16384)
#define STREAM_BLOCKS_KEPT 64

/* A session that has been quiet for so long gives its stack's depths back as well. */
#define STREAM_TRIM_MS 5000

/* So many blocks in a row without waiting, then others have their turn: a peer that is faster than
 * we are would keep them waiting for as long as it likes. */
#define STREAM_BURST 32

struct stream {
	struct io io;
	struct stream_layer *layer;
	char *in; /* NULL while nothing is in hand */
	size_t in_cap, in_from, in_to;
	size_t scanned; /* bytes from in_from known to hold no LF */
	char *out;	/* one block, NULL while empty */
	size_t out_n;
	int64_t idle;
	int error;
	bool ended;	/* the peer will send nothing more */
	bool cut;	/* output was lost */
	unsigned burst; /* reads and writes since the last wait */
	uint64_t bytes_in, bytes_out;
};

static char *kept_blocks[STREAM_BLOCKS_KEPT];
static unsigned kept_count;

static char *block_new(void)
{
	char *b = kept_count ? kept_blocks[--kept_count] : malloc(STREAM_BLOCK);

	if (!b)
		check_no_memory();
	return b;
}

static void block_free(char *b)
{
	if (b && kept_count < STREAM_BLOCKS_KEPT)
		kept_blocks[kept_count++] = b;
	else
		free(b);
}

struct stream *stream_new(int fd)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		check_no_memory();
	io_init(&s->io, fd);
	s->idle = LOOP_FOREVER;
	return s;
}

static void release_input(struct stream *s)
{
	if (s->in_cap == STREAM_BLOCK)
		block_free(s->in);
	else
		free(s->in);
	s->in = NULL;
	s->in_cap = s->in_from = s->in_to = s->scanned = 0;
}

static void release_output(struct stream *s)
{
	block_free(s->out);
	s->out = NULL;
	s->out_n = 0;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->layer)
		s->layer->free(s->layer);
	release_input(s);
	release_output(s);
	io_done(&s->io);
	free(s);
}

void stream_free_scope(struct stream **s)
{
	stream_free(*s);
}

void stream_set_idle(struct stream *s, int64_t ms)
{
	s->idle = ms;
}

int stream_error(const struct stream *s)
{
	return s->error;
}

uint64_t stream_bytes_in(const struct stream *s)
{
	return s->bytes_in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
	return s->bytes_out;
}

struct io *stream_io(struct stream *s)
{
	return &s->io;
}

struct stream_layer *stream_layer(const struct stream *s)
{
	return s->layer;
}

void stream_push_layer(struct stream *s, struct stream_layer *l)
{
	check(!s->layer && s->in_from == s->in_to);
	s->layer = l;
}

static int fail(struct stream *s, int error)
{
	if (!s->error)
		s->error = error;
	return s->error;
}

/* One attempt, without waiting: bytes, 0 at the end, -EAGAIN, or the error. */
static ssize_t try_read(struct stream *s, char *p, size_t n)
{
	ssize_t r;

	if (s->layer)
		return s->layer->read(s->layer, p, n);
	do
		r = recv(s->io.fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static ssize_t try_write(struct stream *s, const char *p, size_t n)
{
	ssize_t r;

	if (s->layer)
		return s->layer->write(s->layer, p, n);
	do
		r = send(s->io.fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int wait_ready(struct stream *s, bool write, int64_t deadline)
{
	s->burst = 0;
	if (s->layer)
		write = s->layer->want_write;
	return write ? io_wait_writable(&s->io, deadline) : io_wait_readable(&s->io, deadline);
}

int stream_wait_layer(struct stream *s, const struct stream_layer *l)
{
	int64_t deadline = loop_deadline(s->idle);

	return l->want_write ? io_wait_writable(&s->io, deadline)
			     : io_wait_readable(&s->io, deadline);
}

static void trim(struct stream *s)
{
	if (s->layer && s->layer->trim)
		s->layer->trim(s->layer);
	fiber_trim_stack();
}

/* A long wait for input is made of two: after the first the session has proved idle. */
static int wait_input(struct stream *s)
{
	int64_t deadline = loop_deadline(s->idle);
	int64_t trim_at = loop_deadline(STREAM_TRIM_MS);

	if (trim_at >= deadline)
		return wait_ready(s, false, deadline);
	int r = wait_ready(s, false, trim_at);
	if (r != -ETIMEDOUT)
		return r;
	trim(s);
	return wait_ready(s, false, deadline);
}

static int may_suspend take_turns(struct stream *s)
{
	if (++s->burst < STREAM_BURST)
		return 0;
	s->burst = 0;
	return fiber_yield();
}

static int send_all(struct stream *s, const char *p, size_t n)
{
	if (s->error)
		return s->error;
	while (n) {
		/* A cancelled fiber may still say why. */
		(void)!take_turns(s);
		ssize_t r = try_write(s, p, n);
		if (r == -EAGAIN) {
			int w = wait_ready(s, true, loop_deadline(s->idle));
			s->cut = w < 0;
			if (w < 0)
				return fail(s, w);
			continue;
		}
		if (r < 0)
			return fail(s, (int)r);
		p += r;
		n -= (size_t)r;
		s->bytes_out += (size_t)r;
	}
	return 0;
}

int stream_flush(struct stream *s)
{
	if (s->error)
		return s->error;
	if (!s->out_n)
		return 0;
	int r = send_all(s, s->out, s->out_n);
	release_output(s);
	return r;
}

void stream_write(struct stream *s, struct str bytes)
{
	while (bytes.n && !s->error) {
		if (!s->out_n && bytes.n >= STREAM_BLOCK) {
			(void)send_all(s, bytes.p, bytes.n);
			return;
		}
		if (!s->out)
			s->out = block_new();
		size_t n = STREAM_BLOCK - s->out_n;
		if (n > bytes.n)
			n = bytes.n;
		memcpy(s->out + s->out_n, bytes.p, n);
		s->out_n += n;
		bytes = str_skip(bytes, n);
		if (s->out_n == STREAM_BLOCK && stream_flush(s) < 0)
			return;
	}
}

void stream_puts(struct stream *s, const char *text)
{
	stream_write(s, str_from(text));
}

void stream_printf(struct stream *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	check(n >= 0);
	if ((size_t)n < sizeof(text)) {
		stream_write(s, str_of(text, (size_t)n));
		return;
	}

	char *big = malloc((size_t)n + 1);
	if (!big)
		check_no_memory();
	va_start(ap, fmt);
	vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	stream_write(s, str_of(big, (size_t)n));
	free(big);
}

void stream_say_last(struct stream *s, const char *text)
{
	struct str bytes = str_from(text);

	if ((s->error != -ETIMEDOUT && s->error != -ECANCELED) || s->cut)
		return;
	ssize_t r = try_write(s, bytes.p, bytes.n);
	s->cut = true;
	if (r > 0)
		s->bytes_out += (size_t)r;
}

struct str stream_peek(const struct stream *s)
{
	return s->in ? str_of(s->in + s->in_from, s->in_to - s->in_from) : STR_NONE;
}

void stream_consume(struct stream *s, size_t n)
{
	check(n <= s->in_to - s->in_from);
	s->in_from += n;
	s->scanned = s->scanned > n ? s->scanned - n : 0;
}

/* Room behind the bytes in hand: none, moved up, or a larger buffer. */
static void make_room(struct stream *s)
{
	size_t n = s->in_to - s->in_from;

	if (!s->in) {
		s->in = block_new();
		s->in_cap = STREAM_BLOCK;
	} else if (n == 0 && s->in_cap > STREAM_BLOCK) {
		release_input(s);
		make_room(s);
	} else if (s->in_from > 0) {
		memmove(s->in, s->in + s->in_from, n);
		s->in_from = 0;
		s->in_to = n;
	} else if (s->in_to == s->in_cap) {
		char *larger = malloc(s->in_cap * 2);
		if (!larger)
			check_no_memory();
		memcpy(larger, s->in, n);
		size_t cap = s->in_cap * 2, scanned = s->scanned;
		release_input(s);
		s->in = larger;
		s->in_cap = cap;
		s->in_to = n;
		s->scanned = scanned;
	}
}

void stream_preload(struct stream *s, struct str bytes)
{
	check(s->in_from == s->in_to);
	release_input(s);
	if (!bytes.n)
		return;
	s->in_cap = bytes.n > STREAM_BLOCK ? bytes.n : STREAM_BLOCK;
	s->in = s->in_cap > STREAM_BLOCK ? malloc(s->in_cap) : block_new();
	if (!s->in)
		check_no_memory();
	memcpy(s->in, bytes.p, bytes.n);
	s->in_to = bytes.n;
}

ssize_t stream_fill(struct stream *s, size_t max)
{
	int r = stream_flush(s);
	if (r < 0)
		return r;
	if (s->in_to - s->in_from >= max)
		return -ENOBUFS;

	while (!s->ended) {
		if ((r = take_turns(s)) < 0)
			return fail(s, r);
		make_room(s);
		ssize_t n = try_read(s, s->in + s->in_to, s->in_cap - s->in_to);
		if (n > 0) {
			s->in_to += (size_t)n;
			s->bytes_in += (size_t)n;
			return n;
		}
		if (n == 0)
			s->ended = true;
		if (n < 0 && n != -EAGAIN)
			return fail(s, (int)n);
		if (s->in_from == s->in_to)
			release_input(s);
		if (n == -EAGAIN && (r = wait_input(s)) < 0)
			return fail(s, r);
	}
	return 0;
}

int stream_read_line(struct stream *s, size_t max, struct str *line)
{
	for (;;) {
		struct str have = stream_peek(s);
		ssize_t lf = str_find_byte(str_skip(have, s->scanned), '\n');
		size_t n = lf < 0 ? have.n : s->scanned + (size_t)lf + 1;
		if (n > max)
			return -EMSGSIZE;
		if (lf >= 0) {
			*line = str_sub(have, 0, n);
			stream_consume(s, n);
			return 0;
		}
		s->scanned = have.n;
		ssize_t r = stream_fill(s, max + 1);
		if (r == 0)
			return -ENODATA;
		if (r < 0)
			return (int)r;
	}
}

int stream_skip_line(struct stream *s)
{
	for (;;) {
		struct str have = stream_peek(s);
		ssize_t lf = str_find_byte(have, '\n');
		stream_consume(s, lf < 0 ? have.n : (size_t)lf + 1);
		if (lf >= 0)
			return 0;
		ssize_t r = stream_fill(s, STREAM_BLOCK);
		if (r == 0)
			return -ENODATA;
		if (r < 0)
			return (int)r;
	}
}

/* Try to read into the buffer without waiting: 1 when there is input or the end, 0 when not yet. */
static int poll_input(struct stream *s)
{
	if (s->in_from < s->in_to || s->ended)
		return 1;
	make_room(s);
	ssize_t n = try_read(s, s->in + s->in_to, s->in_cap - s->in_to);
	if (n > 0) {
		s->in_to += (size_t)n;
		s->bytes_in += (size_t)n;
		return 1;
	}
	release_input(s);
	if (n < 0)
		return n == -EAGAIN ? 0 : fail(s, (int)n);
	s->ended = true;
	return 1;
}

int stream_wait_input(struct stream *s, int64_t ms)
{
	int64_t deadline = loop_deadline(ms), trim_at = loop_deadline(STREAM_TRIM_MS);
	int r = stream_flush(s);

	if (r == 0 && (r = take_turns(s)) < 0)
		r = fail(s, r);
	fiber_set_interruptible(true);
	while (r == 0 && (r = poll_input(s)) == 0) {
		int w = wait_ready(s, false, trim_at < deadline ? trim_at : deadline);
		if (w == -ETIMEDOUT && trim_at < deadline) {
			trim(s);
			trim_at = LOOP_FOREVER;
		} else if (w == -ETIMEDOUT || w == -EINTR) {
			r = w == -EINTR ? w : 0;
			break;
		} else if (w < 0) {
			r = fail(s, w);
		}
	}
	fiber_set_interruptible(false);
	return r;
}

/* One direction of a relay. */
struct relay {
	struct stream *from, *to;
	char *block;
	size_t at, n;
	bool closed; /* the end has been passed on */
};

/* Refill the empty block of a direction: 1 with bytes, 0 when there are none yet, or an error. */
static int relay_read(struct relay *d)
{
	if (!d->block)
		d->block = block_new();
	ssize_t r = try_read(d->from, d->block, STREAM_BLOCK);
	d->at = 0;
	d->n = r > 0 ? (size_t)r : 0;
	if (r > 0) {
		d->from->bytes_in += d->n;
		return 1;
	}

	block_free(d->block);
	d->block = NULL;
	if (r < 0)
		return r == -EAGAIN ? 0 : (int)r;
	/* TLS has a goodbye of its own, and it comes with the end of the stream. */
	if (!d->to->layer)
		(void)shutdown(d->to->io.fd, SHUT_WR);
	d->closed = true;
	return 1;
}

/* Move bytes as long as neither side would wait, but not for ever: how many blocks, or an error. */
static int relay_step(struct relay *d)
{
	int moved = 0;

	while (!d->closed && moved < STREAM_BURST) {
		if (d->at == d->n) {
			int r = relay_read(d);
			if (r <= 0)
				return r < 0 ? r : moved;
			moved++;
			continue;
		}
		ssize_t w = try_write(d->to, d->block + d->at, d->n - d->at);
		if (w < 0)
			return w == -EAGAIN ? moved : (int)w;
		d->at += (size_t)w;
		d->to->bytes_out += (size_t)w;
		moved++;
	}
	return moved;
}

static int relay_both(struct relay *x, struct relay *y, int64_t idle)
{
	while (!x->closed || !y->closed) {
		int r = relay_step(x);
		int q = r < 0 ? r : relay_step(y);
		if (q < 0)
			return q;
		/* The end of a TLS stream has no half: nothing more can be sent there. */
		if ((x->closed && x->to->layer) || (y->closed && y->to->layer))
			return 0;
		if (r == STREAM_BURST || q == STREAM_BURST) {
			int t = fiber_yield();
			if (t < 0)
				return t;
		}
		if (r || q)
			continue;

		int64_t trim_at = loop_deadline(STREAM_TRIM_MS), end = loop_deadline(idle);
		bool blocked = x->at < x->n || y->at < y->n;
		struct io *a = &x->from->io, *b = &x->to->io;
		int w = io_wait_any(a, b, blocked, trim_at < end ? trim_at : end);
		if (w == -ETIMEDOUT && trim_at < end) {
			fiber_trim_stack();
			w = io_wait_any(a, b, blocked, end);
		}
		if (w < 0)
			return w;
	}
	return 0;
}

int stream_relay(struct stream *a, struct stream *b, int64_t idle)
{
	int r = stream_flush(a);
	if (r == 0)
		r = stream_flush(b);
	if (r < 0)
		return r;

	check(a->in_from == a->in_to && b->in_from == b->in_to);
	release_input(a); /* a relay has blocks of its own, and only while it needs them */
	release_input(b);
	struct relay x = { .from = a, .to = b }, y = { .from = b, .to = a };
	r = relay_both(&x, &y, idle);
	block_free(x.block);
	block_free(y.block);
	return r;
}
