#include "core/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <zlib.h>

#include "core/stream.h"

/* Our window: 64 KiB of memory for a session instead of 256, at a few per cent of size. */
#define WINDOW_BITS  (-13)
#define MEMORY_LEVEL 6
#define PIECE	     ((size_t)16384) /* of input to one write */
#define INPUT_BLOCK  ((size_t)4096)
/* inflate() behind the end of a block, with no bit of the next one read. */
#define DATA_TYPE_RESTS 128
#define HISTORY_BYTES	((size_t)32768) /* the peer may use the largest window */

struct layer {
	struct stream_layer base;
	struct stream *stream;
	struct {
		z_stream z;
		bool on;
		char *out; /* compressed and not sent yet, or NULL */
		size_t at, n;
		size_t taken; /* bytes of the write that these are */
	} down;
	struct {
		z_stream z;
		bool on;
		bool ended;
		bool rests; /* between two blocks, at the boundary of a byte */
		char *in;   /* compressed and not expanded yet, or NULL */
		size_t at, n;
		char *history; /* while the state is given back */
		unsigned history_n;
	} up;
};

static struct layer *layer_of(struct stream_layer *l)
{
	return CONTAINER_OF(l, struct layer, base);
}

static void *allocate(size_t n)
{
	void *p = malloc(n);

	if (!p)
		check_no_memory();
	return p;
}

static void compressor_on(struct layer *l)
{
	if (l->down.on)
		return;
	l->down.z = (z_stream){ 0 };
	if (deflateInit2(&l->down.z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		check_no_memory();
	l->down.on = true;
}

static void compress_piece(struct layer *l, const char *p, size_t n)
{
	z_stream *z = &l->down.z;

	compressor_on(l);
	/* Room for the piece, for what a sync flush adds, and for zlib's own guess about both. */
	size_t room = deflateBound(z, n) + 64;
	l->down.out = allocate(room);
	z->next_in = (Bytef *)p;
	z->avail_in = (uInt)n;
	z->next_out = (Bytef *)l->down.out;
	z->avail_out = (uInt)room;
	check(deflate(z, Z_SYNC_FLUSH) == Z_OK && z->avail_in == 0 && z->avail_out > 0);
	l->down.at = 0;
	l->down.n = room - z->avail_out;
	l->down.taken = n;
}

/* Send what is compressed: 0 when all of it is out. */
static int send_compressed(struct layer *l)
{
	while (l->down.at < l->down.n) {
		ssize_t r = send(stream_io(l->stream)->fd, l->down.out + l->down.at,
				 l->down.n - l->down.at, MSG_NOSIGNAL);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		l->down.at += (size_t)r;
	}
	free(l->down.out);
	l->down.out = NULL;
	return 0;
}

/* After -EAGAIN the same bytes are offered again, but they are compressed already. */
static ssize_t layer_write(struct stream_layer *base, const void *p, size_t n)
{
	struct layer *l = layer_of(base);

	if (!l->down.out)
		compress_piece(l, p, n < PIECE ? n : PIECE);
	int r = send_compressed(l);
	base->want_write = r == -EAGAIN;
	return r < 0 ? r : (ssize_t)l->down.taken;
}

static void expander_on(struct layer *l)
{
	if (l->up.on)
		return;
	l->up.z = (z_stream){ 0 };
	if (inflateInit2(&l->up.z, -15) != Z_OK)
		check_no_memory();
	l->up.on = true;
	if (!l->up.history)
		return;
	check(inflateSetDictionary(&l->up.z, (Bytef *)l->up.history, l->up.history_n) == Z_OK);
	free(l->up.history);
	l->up.history = NULL;
}

/* More compressed bytes: how many, 0 at the end, or an error. */
static ssize_t receive(struct layer *l)
{
	ssize_t r;

	if (!l->up.in)
		l->up.in = allocate(INPUT_BLOCK);
	do
		r = recv(stream_io(l->stream)->fd, l->up.in, INPUT_BLOCK, 0);
	while (r < 0 && errno == EINTR);
	l->up.at = 0;
	l->up.n = r > 0 ? (size_t)r : 0;
	int error = errno;
	if (r <= 0) {
		free(l->up.in);
		l->up.in = NULL;
	}
	return r < 0 ? -error : r;
}

/* What can be expanded of the bytes in hand: how many bytes that makes, or -EPROTO. */
static ssize_t expand(struct layer *l, void *p, size_t n)
{
	z_stream *z = &l->up.z;

	expander_on(l);
	z->next_in = l->up.in ? (Bytef *)l->up.in + l->up.at : NULL;
	z->avail_in = (uInt)(l->up.n - l->up.at);
	z->next_out = p;
	z->avail_out = (uInt)n;
	int r = inflate(z, Z_SYNC_FLUSH);
	l->up.at = l->up.n - z->avail_in;
	/* A call that finds nothing to do says nothing of where it stands. */
	if (r == Z_OK)
		l->up.rests = z->data_type == DATA_TYPE_RESTS;
	if (r == Z_STREAM_END)
		l->up.ended = true;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return -EPROTO;
	return (ssize_t)(n - z->avail_out);
}

static ssize_t layer_read(struct stream_layer *base, void *p, size_t n)
{
	struct layer *l = layer_of(base);

	base->want_write = false;
	while (!l->up.ended) {
		ssize_t r = expand(l, p, n < PIECE ? n : PIECE);
		if (r != 0)
			return r;
		if (l->up.ended || l->up.at < l->up.n)
			continue;
		r = receive(l);
		if (r <= 0)
			return r;
	}
	return 0;
}

static void compressor_off(struct layer *l)
{
	if (l->down.on)
		deflateEnd(&l->down.z);
	l->down.on = false;
}

static void expander_off(struct layer *l)
{
	if (l->up.on)
		inflateEnd(&l->up.z);
	l->up.on = false;
}

/* There nothing is left in the state but the history. */
static bool expander_rests(const struct layer *l)
{
	return l->up.on && l->up.rests && !l->up.ended && l->up.at == l->up.n;
}

static void layer_trim(struct stream_layer *base)
{
	struct layer *l = layer_of(base);

	/* Every write ended at the boundary of a byte: a new compressor can go on behind it. */
	if (!l->down.out)
		compressor_off(l);
	if (!expander_rests(l))
		return;
	uInt n = HISTORY_BYTES;
	char *history = allocate(HISTORY_BYTES);
	check(inflateGetDictionary(&l->up.z, (Bytef *)history, &n) == Z_OK);
	expander_off(l);
	/* Nearly always much less than there was room for. */
	l->up.history = n ? realloc(history, n) : NULL;
	l->up.history_n = n;
	if (n && !l->up.history)
		check_no_memory();
	if (!n)
		free(history);
}

static void layer_free(struct stream_layer *base)
{
	struct layer *l = layer_of(base);

	compressor_off(l);
	expander_off(l);
	free(l->down.out);
	free(l->up.in);
	free(l->up.history);
	free(l);
}

int deflate_start(struct stream *s)
{
	int r = stream_flush(s);
	if (r < 0)
		return r;

	struct layer *l = calloc(1, sizeof(*l));
	if (!l)
		check_no_memory();
	l->stream = s;
	l->base = (struct stream_layer){
		.read = layer_read, .write = layer_write, .free = layer_free, .trim = layer_trim
	};
	struct str early = stream_peek(s);
	if (early.n) {
		l->up.in = allocate(early.n);
		memcpy(l->up.in, early.p, early.n);
		l->up.n = early.n;
		stream_consume(s, early.n);
	}
	stream_push_layer(s, &l->base);
	return 0;
}
