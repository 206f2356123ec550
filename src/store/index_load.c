/* The file of an index: read and checked. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/err.h"
#include "base/fd.h"
#include "store/index_format.h"
#include "store/index_pack.h"

/* All n bytes, or the file is not what it says. */
static int read_at(int fd, void *to, size_t n, uint64_t at)
{
	ssize_t got = fd_pread_all(fd, to, n, at);

	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -EBADMSG;
}

static int read_names(void *ctx, char *to, size_t n)
{
	const struct store_index *ix = ctx;
	if (ix->fd < 0)
		return -EBADF;
	int r = read_at(ix->fd, to, n, ix->names_at);
	if (r < 0)
		return r;
	bool good = crc32c(0, to, n) == ix->names_crc && (n == 0 || to[n - 1] == '\0');
	return good ? 0 : -EBADMSG;
}

static bool rec_is_good(const struct store_rec *r, uint64_t names_bytes)
{
	unsigned strings =
		1 + ((r->state & STORE_REC_EXACT) != 0) + ((r->state & STORE_REC_EXT) != 0);

	return r->uid > 0 && !(r->state & ~INDEX_STATE) &&
	       (uint64_t)r->name + r->name_len + strings <= names_bytes;
}

/* The same of one with a checksum. */
static bool rec_is_whole(struct store_rec *r, uint64_t names_bytes)
{
	uint32_t crc = r->hash;

	r->hash = 0;
	return crc32c(0, r, sizeof(*r)) == crc && rec_is_good(r, names_bytes);
}

static bool header_is_good(struct index_header *h, const struct store_box *b, uint64_t size)
{
	uint32_t crc = h->crc;
	h->crc = 0;
	return h->magic == INDEX_MAGIC && h->version == INDEX_VERSION &&
	       crc32c(0, h, sizeof(*h)) == crc && memcmp(h->guid, b->guid, 16) == 0 &&
	       h->gone <= BOX_GONE_MAX && h->names_bytes < UINT32_MAX / 2 &&
	       h->records_bytes <= size && h->records <= h->records_bytes / 2 &&
	       sizeof(*h) + h->records_bytes + h->gone * sizeof(struct index_gone) +
			       h->names_bytes <=
		       size;
}

static void take_gone(struct store_box *b, const struct index_gone *g)
{
	store_box_put_gone(b, (struct box_gone){ g->modseq & ~INDEX_GONE_FILE, g->first, g->last,
						 (g->modseq & INDEX_GONE_FILE) != 0 });
}

static int load_gone(struct store_index *ix, const struct index_header *h, uint64_t at,
		     struct store_box *b)
{
	auto_arena struct arena a = ARENA_INIT;
	struct index_gone *v = ARENA_NEW_ARRAY(&a, struct index_gone, h->gone);
	int r = read_at(ix->fd, v, h->gone * sizeof(*v), at);
	if (r < 0)
		return r;
	if (crc32c(0, v, h->gone * sizeof(*v)) != h->gone_crc)
		return -EBADMSG;
	for (uint32_t i = 0; i < h->gone; i++)
		take_gone(b, &v[i]);
	return 0;
}

static int load_records(struct store_index *ix, const struct index_header *h, struct store_box *b)
{
	char *packed = malloc(h->records_bytes + 1);
	struct store_rec *v = malloc((h->records + (size_t)1) * sizeof(*v));
	if (!packed || !v)
		check_no_memory();
	int r = read_at(ix->fd, packed, h->records_bytes, sizeof(*h));
	if (r == 0)
		r = index_unpack(str_of(packed, h->records_bytes), v, h->records);
	free(packed);
	uint32_t before = 0;
	for (uint32_t i = 0; r == 0 && i < h->records; i++) {
		if (!rec_is_good(&v[i], h->names_bytes) || v[i].uid <= before)
			r = -EBADMSG;
		before = v[i].uid;
	}
	if (r < 0) {
		free(v);
		return r;
	}
	struct store_names_source names = { read_names, ix, h->names_bytes };
	store_messages_adopt(&b->messages, v, h->records, &names);
	return 0;
}

static int load_picture(struct store_index *ix, uint64_t size, struct store_box *b)
{
	struct index_header h;
	if (size < sizeof(h))
		return -EBADMSG;
	int r = read_at(ix->fd, &h, sizeof(h), 0);
	if (r < 0)
		return r;
	if (!header_is_good(&h, b, size))
		return -EBADMSG;
	uint64_t gone_at = sizeof(h) + h.records_bytes;
	/* All at once: on a cold disk that is several times as fast as one window after another. */
	(void)posix_fadvise(ix->fd, 0, (off_t)gone_at, POSIX_FADV_WILLNEED);
	ix->names_at = gone_at + h.gone * sizeof(struct index_gone);
	ix->names_crc = h.names_crc;
	ix->size = ix->picture = ix->names_at + h.names_bytes;
	ix->marks = h.marks;
	ix->settled = h.settled;
	ix->generation = h.generation;
	ix->puts = h.puts;
	memcpy(ix->found_boot, h.boot, sizeof(h.boot));
	r = load_records(ix, &h, b);
	if (r == 0)
		r = load_gone(ix, &h, gone_at, b);
	b->modseq = h.modseq;
	b->gone_from = h.gone_from;
	b->uidvalidity = h.uidvalidity;
	b->uidnext = h.uidnext;
	return r;
}

/* One change while it is taken in; everything points into its bytes. */
struct change {
	struct index_change head;
	const struct store_rec *added, *changed;
	const struct index_run *runs;
	const struct index_gone *gone;
	const char *names;
};

/* The bytes of the change at the beginning of `s`; 0 when it is not whole. */
static size_t change_parse(struct str s, struct change *c)
{
	if (s.n < sizeof(c->head))
		return 0;
	memcpy(&c->head, s.p, sizeof(c->head));
	size_t n = sizeof(c->head) + c->head.bytes;
	uint32_t crc = c->head.crc;
	c->head.crc = 0;
	if (c->head.bytes % 8 || n > s.n ||
	    crc32c(crc32c(0, &c->head, sizeof(c->head)), s.p + sizeof(c->head), c->head.bytes) !=
		    crc)
		return 0;
	uint64_t recs = (uint64_t)c->head.added + c->head.changed;
	uint64_t want = recs * sizeof(struct store_rec) +
			(uint64_t)c->head.runs * sizeof(struct index_run) +
			(uint64_t)c->head.gone * sizeof(struct index_gone) + c->head.names_bytes;
	if (want > c->head.bytes)
		return 0;
	const char *p = s.p + sizeof(c->head);
	c->added = (const void *)p;
	c->changed = c->added + c->head.added;
	c->runs = (const void *)(c->changed + c->head.changed);
	c->gone = (const void *)(c->runs + c->head.runs);
	c->names = (const void *)(c->gone + c->head.gone);
	return n;
}

static bool take_added(struct store_box *b, const struct change *c)
{
	for (uint32_t i = 0; i < c->head.added; i++) {
		struct store_rec r = c->added[i];
		const struct store_messages *m = &b->messages;
		if (!rec_is_whole(&r, c->head.names_bytes) ||
		    (m->n && r.uid <= m->v[m->n - 1].uid) ||
		    c->names[c->head.names_bytes - 1] != '\0')
			return false;
		const char *name = c->names + r.name, *next = name + r.name_len + 1;
		const char *end = c->names + c->head.names_bytes;
		struct store_rec_strings s = { .name = str_of(name, r.name_len),
					       .exact = (r.state & STORE_REC_EXACT) != 0 };
		if (s.exact) {
			s.suffix = str_from(next);
			next += s.suffix.n + 1;
		}
		if (r.state & STORE_REC_EXT && next == end)
			return false;
		if (r.state & STORE_REC_EXT)
			s.ext = str_from(next);
		r.state &= (uint8_t)~(STORE_REC_GONE | STORE_REC_FILE);
		store_messages_add(&b->messages, &r, &s);
	}
	return true;
}

static bool take_changed(struct store_box *b, const struct change *c)
{
	uint32_t hint = 0;
	for (uint32_t i = 0; i < c->head.changed; i++, hint++) {
		struct store_rec r = c->changed[i];
		if (!rec_is_whole(&r, UINT32_MAX))
			return false;
		struct store_rec *have = store_messages_by_uid_near(&b->messages, r.uid, &hint);
		if (!have)
			continue;
		store_messages_set_flags(&b->messages, have, r.flags);
		store_messages_set_sizes(&b->messages, have, r.size, store_rec_wire_size(&r));
		have->modseq = r.modseq;
		have->date = r.date;
		have->facts = r.facts;
		have->letters = r.letters;
		have->keywords = r.keywords;
		have->file_letters = r.file_letters;
		have->file_keywords = r.file_keywords;
	}
	return true;
}

static void take_run(struct store_box *b, const struct index_run *run)
{
	struct store_messages *m = &b->messages;
	for (uint32_t i = store_messages_from_uid(m, run->first);
	     i < m->n && m->v[i].uid <= run->last; i++) {
		struct store_rec *r = &m->v[i];
		if (r->state & STORE_REC_GONE)
			continue;
		r->modseq = run->modseq;
		r->letters = run->letters;
		r->keywords = run->keywords;
		r->file_letters = run->file_letters;
		r->file_keywords = run->file_keywords;
		store_messages_set_flags(m, r, (uint8_t)run->flags);
		store_messages_set_recent(m, r, run->state & STORE_REC_RECENT);
		r->state = (uint8_t)((r->state & ~STORE_REC_NEW) | (run->state & STORE_REC_NEW));
		if (!(run->state & STORE_REC_EXACT))
			store_messages_set_suffix(m, r, STR_NONE, false);
	}
}

static void take_removal(struct store_box *b, const struct index_gone *g)
{
	struct store_messages *m = &b->messages;
	for (uint32_t i = store_messages_from_uid(m, g->first); i < m->n && m->v[i].uid <= g->last;
	     i++) {
		struct store_rec *r = &m->v[i];
		if (r->state & STORE_REC_GONE)
			continue;
		store_messages_remove(m, r);
		r->modseq = g->modseq & ~INDEX_GONE_FILE;
		if (g->modseq & INDEX_GONE_FILE)
			r->state |= STORE_REC_FILE;
	}
	take_gone(b, g);
}

static bool take_change(struct store_index *ix, struct store_box *b, const struct change *c)
{
	if (!take_added(b, c) || !take_changed(b, c))
		return false;
	for (uint32_t i = 0; i < c->head.runs; i++)
		take_run(b, &c->runs[i]);
	for (uint32_t i = 0; i < c->head.gone; i++)
		take_removal(b, &c->gone[i]);
	b->modseq = c->head.modseq;
	b->uidnext = c->head.uidnext;
	ix->settled = c->head.settled;
	ix->marks = c->head.marks;
	memcpy(ix->found_boot, c->head.boot, sizeof(c->head.boot));
	return true;
}

/* The first change that is not whole ends them: what was written behind it says nothing without
 * it. */
static int load_changes(struct store_index *ix, uint64_t size, struct store_box *b)
{
	if (size == ix->size)
		return 0;
	auto_arena struct arena a = ARENA_INIT;
	size_t n = (size_t)(size - ix->size);
	char *bytes = arena_alloc(&a, n);
	int r = read_at(ix->fd, bytes, n, ix->size);
	struct str rest = str_of(bytes, n);
	while (r == 0 && rest.n) {
		struct change c;
		size_t used = change_parse(rest, &c);
		if (used == 0) {
			ix->damaged = (unsigned)rest.n;
			break;
		}
		if (!take_change(ix, b, &c))
			r = -EBADMSG;
		rest = str_skip(rest, used);
		ix->size += used;
	}
	if (r == 0 && ix->damaged && ftruncate(ix->fd, (off_t)ix->size) < 0)
		r = -errno;
	return r;
}

/* Files of messages removed up to `settled` are gone already. */
static void forget_settled(struct store_index *ix, struct store_messages *m)
{
	for (uint32_t i = 0; i < m->n && m->gone; i++)
		if (m->v[i].state & STORE_REC_FILE && m->v[i].modseq <= ix->settled)
			m->v[i].state &= (uint8_t)~STORE_REC_FILE;
}

static void find_recent(struct store_box *b)
{
	const struct store_messages *m = &b->messages;
	for (uint32_t i = 0; i < m->n && m->recent; i++)
		if (m->v[i].state & STORE_REC_RECENT && !(m->v[i].state & STORE_REC_GONE)) {
			b->recent_from = m->v[i].uid;
			return;
		}
}

int store_index_load(struct store_index *ix, struct store_box *b, struct err *err)
{
	struct stat st;
	if (fstat(ix->fd, &st) < 0)
		return err_sys(err, "%s: stat", ix->name);
	if (st.st_size == 0)
		return 0;
	uint64_t size = (uint64_t)st.st_size;
	int r = size > INDEX_MAX_BYTES ? -EBADMSG : load_picture(ix, size, b);
	if (r == 0)
		r = load_changes(ix, size, b);
	if (r < 0)
		return err_set(err, r, "%s: %s", ix->name,
			       r == -EBADMSG ? "damaged" : "cannot be read");
	forget_settled(ix, &b->messages);
	find_recent(b);
	ix->modseq = b->modseq;
	ix->uidnext = b->uidnext;
	b->log_from = b->modseq;
	b->indexed = true;
	store_box_told(b);
	return 1;
}
