#include "store/fts/feed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "mime/structure.h"
#include "mime/text.h"

/* Of a message: bytes that are looked at, and of its text what is indexed. Three times as much is
 * what the index takes on disk. */
#define EXPLORE_MAX ((uint64_t)32 << 20)
#define HEAD_MAX    ((size_t)64 << 10)
#define BODY_MAX    ((size_t)256 << 10)

/* How often one trigram may come in a message, so that no text makes a search for its own kind take
 * long: behind that place a message is not indexed. */
#define REPEATS_MAX 2048
#define COUNTERS    4096

struct gathering {
	struct buf head, body;
	bool cut;
	uint32_t last;		   /* three bytes */
	uint16_t counts[COUNTERS]; /* of trigrams, by a hash of them */
};

/* Bytes of a text up to where a trigram comes too often. */
static size_t usable(struct gathering *g, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		g->last = (g->last << 8 | (unsigned char)s.p[i]) & 0xffffff;
		uint32_t slot = (g->last * UINT32_C(2654435761)) >> 20;
		if (++g->counts[slot] > REPEATS_MAX)
			return i;
	}
	return s.n;
}

/* Texts are lines of their own: none is found across two of them, because no text that the index is
 * asked for has a line end in it. */
static bool gather(void *ctx, enum mime_text_place place, struct str folded, bool end)
{
	struct gathering *g = ctx;
	struct buf *b = place == MIME_TEXT_HEAD ? &g->head : &g->body;
	size_t n = usable(g, folded);

	/* Half a character at the end is no harm: the index takes it for another. */
	buf_put_str(b, str_sub(folded, 0, n));
	if (end)
		buf_putc(b, '\n');
	g->cut |= buf_failed(b) || n < folded.n;
	return n == folded.n && !(buf_failed(&g->head) && buf_failed(&g->body));
}

static int read_message(int fd, uint64_t size, struct arena *a, struct str *out, struct err *err)
{
	size_t n = (size_t)(size < EXPLORE_MAX ? size : EXPLORE_MAX);
	char *p = arena_alloc(a, n);
	ssize_t got = fd_pread_all(fd, p, n, 0);

	if (got < 0)
		return err_set(err, (int)got, "read message: %s", strerror((int)-got));
	*out = str_of(p, (size_t)got);
	return 0;
}

static int add(struct fts_batch *b, int64_t id, int fd, uint64_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct gathering *g = ARENA_NEW(&a, struct gathering);
	struct mime_structure st;
	struct str message;

	int r = fts_db_has(b->db, id, &b->err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = read_message(fd, size, &a, &message, &b->err);
	if (r < 0)
		return r;
	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, &a, &st);
	g->cut = size > EXPLORE_MAX;
	buf_init(&g->head, &a, HEAD_MAX);
	buf_init(&g->body, &a, BODY_MAX);
	(void)mime_text_message(message, &st, true, gather, g);
	struct fts_text text = { id, buf_str(&g->head), buf_str(&g->body), g->cut };
	return fts_db_add(b->db, &text, &b->err);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = ((const struct fts_item *)a)->id, y = ((const struct fts_item *)b)->id;

	return (x > y) - (x < y);
}

int fts_batch_run(void *arg)
{
	struct fts_batch *b = arg;

	/* FTS5 writes out what it has gathered whenever a row comes before the last one. */
	qsort(b->v, b->n, sizeof(*b->v), by_id);
	int r = fts_db_begin(b->db, &b->err);

	for (unsigned i = 0; i < b->n; i++) {
		if (r == 0)
			r = add(b, b->v[i].id, b->v[i].fd, b->v[i].size);
		close(b->v[i].fd);
	}
	b->n = 0;
	b->bytes = 0;
	if (r == 0)
		r = fts_db_set_box(b->db, b->box, b->uid, &b->err);
	/* What is not committed is rolled back when the database is closed. */
	return r == 0 ? fts_db_commit(b->db, &b->err) : r;
}
