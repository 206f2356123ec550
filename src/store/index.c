/* The file of an index: opened, locked, written. */
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/crc32c.h"
#include "base/err.h"
#include "base/fd.h"
#include "store/index_format.h"
#include "store/index_pack.h"

/* Changes may take this much more than the picture before the file is written anew. */
#define CHANGES_MAX ((uint64_t)256 << 10)

void store_guid_text(char out[static 33], const uint8_t guid[16])
{
	struct buf text = { .p = out, .cap = 33, .max = 33 };

	hex_write(&text, str_of((const char *)guid, 16));
	out[32] = '\0';
}

int store_index_open(struct store_index *ix, int dirfd, const uint8_t guid[16],
		     const uint8_t boot[16], struct err *err)
{
	*ix = STORE_INDEX_NONE;
	ix->dirfd = dirfd;
	memcpy(ix->boot, boot, sizeof(ix->boot));
	store_guid_text(ix->name, guid);
	memcpy(ix->name + 32, ".index", 7);
	auto_close int fd =
		openat(dirfd, ix->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s", ix->name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno, "%s: lock", ix->name);
	ix->fd = take_fd(&fd);
	return 0;
}

void store_index_close(struct store_index *ix)
{
	if (ix->fd >= 0)
		close(ix->fd);
	*ix = STORE_INDEX_NONE;
}

void store_index_boot_id(uint8_t out[16], struct str name)
{
	auto_arena struct arena a = ARENA_INIT;

	memset(out, 0, 16);
	if (name.n == 0 && fd_read_file("/proc/sys/kernel/random/boot_id", &a, 64, &name, NULL) < 0)
		return;
	for (size_t i = 0; i < name.n; i++)
		out[i % 16] = (uint8_t)(out[i % 16] * 31 + (unsigned char)name.p[i]);
}

static void put_rec(struct buf *out, const struct store_rec *r, uint32_t name)
{
	struct store_rec copy = *r;
	copy.name = name;
	copy.state &= INDEX_STATE;
	copy.hash = 0;
	copy.hash = crc32c(0, &copy, sizeof(copy));
	buf_put(out, &copy, sizeof(copy));
}

static void put_gone(struct buf *out, const struct box_gone *g)
{
	struct index_gone d = { g->modseq | (g->has_file ? INDEX_GONE_FILE : 0), g->first,
				g->last };
	buf_put(out, &d, sizeof(d));
}

static void put_zeros(struct buf *out, size_t n)
{
	char *p = buf_space(out, n);
	if (!p)
		return;
	memset(p, 0, n);
	buf_added(out, n);
}

static bool in_picture(const struct store_rec *r)
{
	return !(r->state & STORE_REC_GONE) || r->state & STORE_REC_FILE;
}

static void put_records(const struct store_messages *m, struct index_header *h, struct buf *out)
{
	struct index_packer packer = { .out = out };
	size_t names = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		struct store_rec r = m->v[i];
		if (!in_picture(&r))
			continue;
		r.name = (uint32_t)names;
		r.state &= INDEX_STATE;
		index_pack(&packer, &r);
		names += store_rec_all_strings(m, &m->v[i]).n;
		h->records++;
	}
	index_pack_end(&packer);
	h->records_bytes = out->n - sizeof(*h);
}

static void put_picture(const struct store_box *b, struct index_header *h, struct buf *out)
{
	const struct store_messages *m = &b->messages;

	put_zeros(out, sizeof(*h));
	put_records(m, h, out);
	size_t gone_at = out->n;
	for (size_t i = 0; i < b->ngone; i++)
		put_gone(out, &b->gone[i]);
	h->gone = (uint32_t)b->ngone;
	h->gone_crc = crc32c(0, out->p + gone_at, out->n - gone_at);

	size_t names_at = out->n;
	for (uint32_t i = 0; i < m->n; i++)
		if (in_picture(&m->v[i]))
			buf_put_str(out, store_rec_all_strings(m, &m->v[i]));
	h->names_bytes = out->n - names_at;
	h->names_crc = crc32c(0, out->p + names_at, out->n - names_at);
}

static int write_file(struct store_index *ix, struct str bytes, struct err *err)
{
	char tmp[60];
	snprintf(tmp, sizeof(tmp), "%s.tmp", ix->name);
	auto_close int fd =
		openat(ix->dirfd, tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "%s", tmp);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -EBUSY, "%s: lock", tmp);
	int r = fd_write_all(fd, bytes, err);
	if (r == 0 && renameat(ix->dirfd, tmp, ix->dirfd, ix->name) < 0)
		r = err_sys(err, "%s: rename", tmp);
	if (r < 0) {
		(void)unlinkat(ix->dirfd, tmp, 0);
		return r;
	}
	close(ix->fd);
	ix->fd = take_fd(&fd);
	return 0;
}

/* The file has it all. */
static void remember(struct store_index *ix, struct store_box *b,
		     const struct store_index_marks *marks, uint64_t settled)
{
	ix->marks = *marks;
	ix->modseq = b->modseq;
	ix->settled = settled;
	ix->uidnext = b->uidnext;
	store_box_told(b);
}

int store_index_save(struct store_index *ix, struct store_box *b,
		     const struct store_index_marks *marks, uint64_t settled, struct err *err)
{
	struct index_header h = {
		.magic = INDEX_MAGIC,
		.version = INDEX_VERSION,
		.marks = *marks,
		.modseq = b->modseq,
		.settled = settled,
		.gone_from = b->gone_from,
		.uidvalidity = b->uidvalidity,
		.uidnext = b->uidnext,
		.generation = ix->generation,
		.puts = ix->puts,
	};
	int r = store_messages_read_names(&b->messages);
	if (r < 0)
		return err_set(err, r, "%s: strings are damaged", ix->name);
	memcpy(h.guid, b->guid, sizeof(h.guid));
	memcpy(h.boot, ix->boot, sizeof(h.boot));

	auto_buf struct buf out;
	buf_init(&out, NULL, INDEX_MAX_BYTES);
	put_picture(b, &h, &out);
	if (buf_failed(&out))
		return err_set(err, -EFBIG, "%s: too large", ix->name);
	h.crc = crc32c(0, &h, sizeof(h));
	memcpy(out.p, &h, sizeof(h));
	r = write_file(ix, buf_str(&out), err);
	if (r < 0)
		return r;

	ix->size = ix->picture = out.n;
	ix->damaged = 0;
	b->indexed = true;
	remember(ix, b, marks, settled);
	return 0;
}

static int uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void sort_uids(struct box_uids *uids)
{
	size_t n = 0;
	bool rising = true;
	for (size_t i = 1; i < uids->n && rising; i++)
		rising = uids->v[i - 1] < uids->v[i];
	if (rising)
		return;
	qsort(uids->v, uids->n, sizeof(*uids->v), uid_cmp);
	for (size_t i = 0; i < uids->n; i++)
		if (n == 0 || uids->v[n - 1] != uids->v[i])
			uids->v[n++] = uids->v[i];
	uids->n = n;
}

static struct index_run run_of(const struct store_rec *r)
{
	return (struct index_run){ r->modseq,	     r->uid,	  r->uid,
				   r->letters,	     r->keywords, r->file_letters,
				   r->file_keywords, r->flags,	  r->state & INDEX_STATE };
}

static bool run_takes(const struct index_run *a, const struct index_run *b)
{
	return a->modseq == b->modseq && a->letters == b->letters && a->keywords == b->keywords &&
	       a->file_letters == b->file_letters && a->file_keywords == b->file_keywords &&
	       a->flags == b->flags && a->state == b->state;
}

/* Neighbours with the same marks become one run. A message between them that is not in the list
 * ends it; one that is gone does not. */
static uint32_t put_runs(struct store_box *b, struct buf *out)
{
	const struct store_messages *m = &b->messages;
	struct index_run run = { 0 };
	uint32_t n = 0, next = 0;

	sort_uids(&b->new_marks);
	for (size_t i = 0; i < b->new_marks.n; i++) {
		uint32_t at = next < m->n && m->v[next].uid == b->new_marks.v[i]
				      ? next
				      : store_messages_from_uid(m, b->new_marks.v[i]);
		if (at == m->n || m->v[at].uid != b->new_marks.v[i] ||
		    m->v[at].state & STORE_REC_GONE)
			continue;
		struct index_run own = run_of(&m->v[at]);
		if (n && at == next && run_takes(&run, &own)) {
			run.last = own.last;
		} else {
			if (n++)
				buf_put(out, &run, sizeof(run));
			run = own;
		}
		next = at + 1;
	}
	if (n)
		buf_put(out, &run, sizeof(run));
	return n;
}

static uint32_t put_added(const struct store_box *b, struct buf *out)
{
	const struct store_messages *m = &b->messages;
	uint32_t n = 0, names = 0;
	for (uint32_t i = store_messages_from_uid(m, b->told_uid + 1); i < m->n; i++) {
		if (!in_picture(&m->v[i]))
			continue;
		put_rec(out, &m->v[i], names);
		names += (uint32_t)store_rec_all_strings(m, &m->v[i]).n;
		n++;
	}
	return n;
}

static uint32_t put_changed(struct store_box *b, struct buf *out)
{
	uint32_t n = 0, hint = 0;
	sort_uids(&b->new_recs);
	for (size_t i = 0; i < b->new_recs.n; i++, hint++) {
		const struct store_rec *r =
			store_messages_by_uid_near(&b->messages, b->new_recs.v[i], &hint);
		if (!r)
			continue;
		put_rec(out, r, 0);
		n++;
	}
	return n;
}

static void put_change(struct store_box *b, struct index_change *c, struct buf *out)
{
	const struct store_messages *m = &b->messages;

	put_zeros(out, sizeof(*c));
	c->added = put_added(b, out);
	c->changed = put_changed(b, out);
	c->runs = put_runs(b, out);
	for (size_t i = b->told_gone; i < b->ngone; i++)
		put_gone(out, &b->gone[i]);
	c->gone = (uint32_t)(b->ngone - b->told_gone);
	size_t names_at = out->n;
	for (uint32_t i = store_messages_from_uid(m, b->told_uid + 1); i < m->n; i++)
		if (in_picture(&m->v[i]))
			buf_put_str(out, store_rec_all_strings(m, &m->v[i]));
	c->names_bytes = (uint32_t)(out->n - names_at);
	put_zeros(out, -out->n & 7);
}

static bool has_news(const struct store_index *ix, const struct store_box *b,
		     const struct store_index_marks *marks, uint64_t settled)
{
	const struct store_messages *m = &b->messages;
	return b->modseq != ix->modseq || b->uidnext != ix->uidnext || settled != ix->settled ||
	       b->new_marks.n || b->new_recs.n || b->told_gone != b->ngone ||
	       (m->n && m->v[m->n - 1].uid > b->told_uid) ||
	       memcmp(marks, &ix->marks, sizeof(*marks)) != 0;
}

/* Behind what is valid. */
static int append(struct store_index *ix, struct str bytes, struct err *err)
{
	while (bytes.n) {
		ssize_t n = pwrite(ix->fd, bytes.p, bytes.n, (off_t)ix->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "%s: write", ix->name);
		bytes = str_skip(bytes, (size_t)n);
		ix->size += (uint64_t)n;
	}
	return 0;
}

int store_index_write(struct store_index *ix, struct store_box *b,
		      const struct store_index_marks *marks, uint64_t settled, struct err *err)
{
	if (!has_news(ix, b, marks, settled))
		return 0;
	if (b->told_too_late || ix->size - ix->picture > ix->picture + CHANGES_MAX)
		return store_index_save(ix, b, marks, settled, err);

	struct index_change c = {
		.modseq = b->modseq,
		.settled = settled,
		.marks = *marks,
		.uidnext = b->uidnext,
	};
	memcpy(c.boot, ix->boot, sizeof(c.boot));
	auto_buf struct buf out;
	buf_init(&out, NULL, UINT32_MAX / 2);
	put_change(b, &c, &out);
	if (buf_failed(&out))
		return store_index_save(ix, b, marks, settled, err);
	c.bytes = (uint32_t)(out.n - sizeof(c));
	memcpy(out.p, &c, sizeof(c));
	c.crc = crc32c(0, out.p, out.n);
	memcpy(out.p, &c, sizeof(c));

	uint64_t before = ix->size;
	int r = append(ix, buf_str(&out), err);
	if (r < 0) {
		ix->size = before;
		(void)!ftruncate(ix->fd, (off_t)before);
		return r;
	}
	remember(ix, b, marks, settled);
	return 0;
}
