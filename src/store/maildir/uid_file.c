/* dovecot-uidlist on disk: reading what came since, appending, rewriting. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/rand.h"
#include "store/maildir/maildir.h"

#define UIDLIST	     "dovecot-uidlist"
#define UIDLIST_LOCK "dovecot-uidlist.lock"
#define UIDLIST_TMP  "dovecot-uidlist.tmp"
#define UIDLIST_MAX  ((size_t)1 << 30)
#define UID_LAST     (UINT32_MAX - 1000000) /* beyond: the mailbox is numbered afresh */
#define TORN_GAP_MAX 1000 /* how far the UID of a torn last line may be ahead and be believed */

int maildir_uidlist_lock(struct maildir_box *mb, struct dotlock *lock, struct err *err)
{
	return dotlock_take_link(lock, &mb->store->lock_source, mb->fd, UIDLIST_LOCK, err);
}

static struct file_mark mark_of(const struct stat *st)
{
	return (struct file_mark){ st->st_dev, st->st_ino, st->st_size, st->st_mtim };
}

static bool mark_eq(const struct file_mark *a, const struct file_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       timespec_eq(a->mtime, b->mtime);
}

bool maildir_uidlist_is_current(struct maildir_box *mb)
{
	struct stat st;
	if (fstatat(mb->fd, UIDLIST, &st, 0) < 0)
		return false;
	struct file_mark now = mark_of(&st);
	return mark_eq(&now, &mb->uidlist);
}

/* The records that are being taken in. */
struct uidlist_load {
	struct maildir_box *mb;
	uint64_t modseq;
	unsigned damaged;
	uint32_t last_uid; /* of the line before */
};

static void take_known(struct uidlist_load *l, const struct uidlist_record *rec,
		       struct store_rec *known)
{
	if (str_eq(store_rec_name(&l->mb->base.messages, known), rec->base))
		return;
	l->damaged++; /* two files with one UID: ours stays, the other gets a new one */
}

static void take_record(struct uidlist_load *l, const struct uidlist_record *rec)
{
	struct store_box *b = &l->mb->base;
	struct store_rec *known = store_messages_by_uid(&b->messages, rec->uid);
	if (known) {
		take_known(l, rec, known);
		return;
	}
	if (b->messages.n && rec->uid <= b->messages.v[b->messages.n - 1].uid)
		return; /* we know that its message is gone */

	struct store_rec *older = store_messages_by_name(&b->messages, rec->base);
	if (older) { /* the later record is the valid one */
		store_box_remove(b, older, l->modseq, false);
		l->mb->uidlist_dead++;
	}

	struct maildir_filename file;
	if (!maildir_filename_parse(rec->base, &file))
		return;
	struct store_rec new = { .uid = rec->uid, .size = file.size, .date = INT64_MIN };
	uint64_t wire_size = file.wire_size, n;
	if (wire_size == STORE_UNKNOWN &&
	    str_to_u64(uidlist_ext_field(rec->ext, 'W'), INT64_MAX, &n) == 0)
		wire_size = n;
	store_rec_set_wire_size(&new, wire_size);
	struct store_rec_strings strings = { .name = rec->base, .ext = rec->ext };
	l->mb->rescan = true; /* where its file is, and under which flags, only a scan tells */
	store_box_add(b, &new, &strings, 0);
}

/* A crash may cut the last line short. Its UID was never told to anybody, but is spent all the
 * same. */
static void take_torn(struct uidlist_load *l, struct str line)
{
	struct str uid, rest;
	uint64_t v;
	struct store_box *b = &l->mb->base;
	l->damaged++;
	if (!str_cut(line, ' ', &uid, &rest) || str_to_u64(uid, UID_LAST, &v) < 0)
		return;
	if (v >= b->uidnext && v - b->uidnext < TORN_GAP_MAX)
		b->uidnext = (uint32_t)v + 1;
}

static void take_lines(struct uidlist_load *l, struct str text)
{
	struct str line;
	while (text.n) {
		ssize_t lf = str_find_byte(text, '\n');
		if (lf < 0) {
			take_torn(l, text);
			return;
		}
		line = str_sub(text, 0, (size_t)lf);
		text = str_skip(text, (size_t)lf + 1);

		struct uidlist_record rec;
		if (!uidlist_record_parse(line, &rec) || rec.uid <= l->last_uid ||
		    rec.uid > UID_LAST) {
			l->damaged++;
			continue;
		}
		l->last_uid = rec.uid;
		take_record(l, &rec);
	}
}

/* A mailbox without a usable list is numbered afresh under a new UIDVALIDITY. */
static void begin_afresh(struct maildir_box *mb)
{
	struct store_box *b = &mb->base;
	b->uidvalidity = maildir_uidvalidity_next(mb->store);
	b->uidnext = 1;
	rand_bytes(b->guid, sizeof(b->guid));
	mb->uidlist_rewrite = true;
}

static bool guid_is_set(const uint8_t guid[16])
{
	for (int i = 0; i < 16; i++)
		if (guid[i])
			return true;
	return false;
}

/* 1 when the UIDs below mean nothing, because their UIDVALIDITY is lost. */
static int take_header(struct maildir_box *mb, struct str line, bool first, struct err *err)
{
	struct store_box *b = &mb->base;
	struct uidlist_header h;
	bool good = uidlist_header_parse(line, &mb->arena, &h) && h.uidnext <= UID_LAST;

	if (!first) {
		if (good && h.uidvalidity != b->uidvalidity)
			return err_set(err, -ESTALE, "%s: UIDVALIDITY was changed", mb->name);
		mb->uidlist_rewrite |= !good;
		if (good && h.uidnext > b->uidnext)
			b->uidnext = h.uidnext;
		return 0;
	}
	if (!good) {
		maildir_report(mb->store, STORE_REPAIRED, mb->dir,
			       "uidlist header is damaged: messages get new UIDs");
		begin_afresh(mb);
		return 1;
	}
	b->uidvalidity = h.uidvalidity;
	b->uidnext = h.uidnext;
	memcpy(b->guid, h.guid, sizeof(b->guid));
	mb->uidlist_other = h.other;
	if (!guid_is_set(b->guid)) {
		rand_bytes(b->guid, sizeof(b->guid));
		mb->uidlist_rewrite = true;
	}
	return 0;
}

/* Where reading goes on: behind what we know when the file only grew, else at its start. */
static uint64_t resume_at(const struct maildir_box *mb, int fd, const struct file_mark *now)
{
	const struct file_mark *old = &mb->uidlist;
	char last;
	bool grew = old->dev == now->dev && old->ino == now->ino && old->size > 0 &&
		    now->size > old->size;
	return grew && pread(fd, &last, 1, old->size - 1) == 1 && last == '\n' ? (uint64_t)old->size
									       : 0;
}

/* A part of a file. */
struct file_range {
	int fd;
	uint64_t from, to;
};

static int read_range(struct file_range f, struct arena *a, struct str *out, struct err *err)
{
	if (f.to - f.from > UIDLIST_MAX)
		return err_set(err, -EFBIG, UIDLIST ": larger than %zu bytes", UIDLIST_MAX);
	size_t size = (size_t)(f.to - f.from);
	char *p = arena_alloc(a, size);
	ssize_t got = fd_pread_all(f.fd, p, size, f.from);
	if (got < 0)
		return err_set(err, (int)got, UIDLIST ": read: %s", strerror((int)-got));
	*out = str_of(p, (size_t)got);
	return 0;
}

static int take_text(struct maildir_box *mb, struct str text, bool whole, bool first,
		     struct err *err)
{
	struct uidlist_load l = { .mb = mb };
	l.modseq = first ? mb->base.modseq : store_box_begin_change(&mb->base);
	if (whole) {
		struct str line = STR_NONE;
		/* A record must not be appended to the header's own line. */
		mb->uidlist_rewrite |= str_find_byte(text, '\n') < 0;
		(void)str_next_line(&text, &line);
		int r = take_header(mb, line, first, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	take_lines(&l, text);
	if (l.damaged) {
		maildir_report(mb->store, STORE_REPAIRED, mb->dir,
			       "uidlist: %u damaged lines dropped", l.damaged);
		mb->uidlist_rewrite = true;
	}
	return 0;
}

bool maildir_uidlist_peek(int boxfd, uint32_t *uidvalidity, uint8_t guid[16])
{
	auto_arena struct arena a = ARENA_INIT;
	char text[1024];
	struct str line, rest;
	struct uidlist_header h;

	auto_close int fd = openat(boxfd, UIDLIST, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
	if (n <= 0 || !str_cut(str_of(text, (size_t)n), '\n', &line, &rest) ||
	    !uidlist_header_parse(line, &a, &h) || h.uidnext > UID_LAST || !guid_is_set(h.guid))
		return false;
	*uidvalidity = h.uidvalidity;
	memcpy(guid, h.guid, sizeof(h.guid));
	return true;
}

int maildir_uidlist_read(struct maildir_box *mb, struct err *err)
{
	bool first = mb->base.uidvalidity == 0;
	struct stat st;
	auto_close int fd = openat(mb->fd, UIDLIST, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT)
		return err_sys(err, "%s: " UIDLIST, mb->name);
	if (fd < 0) {
		mb->uidlist = (struct file_mark){ 0 };
		mb->uidlist_rewrite = true;
		if (first)
			begin_afresh(mb);
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s: " UIDLIST, mb->name);
	struct file_mark now = mark_of(&st);
	if (mark_eq(&now, &mb->uidlist))
		return 0;

	auto_arena struct arena a = ARENA_INIT;
	struct str text;
	struct file_range range = { .fd = fd,
				    .from = resume_at(mb, fd, &now),
				    .to = (uint64_t)st.st_size };
	int r = read_range(range, &a, &text, err);
	if (r < 0)
		return r;
	r = take_text(mb, text, range.from == 0, first, err);
	if (r < 0)
		return r;
	mb->uidlist = now;
	return 0;
}

static void put_record(struct buf *out, const struct store_messages *m, const struct store_rec *r)
{
	struct uidlist_record rec = { r->uid, store_rec_ext(m, r), store_rec_name(m, r) };
	uidlist_record_write(out, &rec);
}

static void put_records(struct maildir_box *mb, uint32_t from, struct buf *out)
{
	const struct store_messages *m = &mb->base.messages;
	for (uint32_t i = from; i < m->n; i++)
		if (!(m->v[i].state & STORE_REC_GONE))
			put_record(out, m, &m->v[i]);
}

static void remember_mark(struct maildir_box *mb, int fd)
{
	struct stat st;
	mb->uidlist = (struct file_mark){ 0 };
	if (fstat(fd, &st) == 0)
		mb->uidlist = mark_of(&st);
}

static int rewrite(struct maildir_box *mb, struct err *err)
{
	struct store_box *b = &mb->base;
	struct uidlist_header h = { b->uidvalidity, b->uidnext, { 0 }, mb->uidlist_other };
	memcpy(h.guid, b->guid, sizeof(h.guid));

	auto_buf struct buf text;
	buf_init(&text, NULL, UIDLIST_MAX);
	uidlist_header_write(&text, &h);
	put_records(mb, 0, &text);
	if (buf_failed(&text))
		return err_set(err, -EFBIG, "%s: " UIDLIST " too large", mb->name);

	auto_close int fd =
		openat(mb->fd, UIDLIST_TMP, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "%s: " UIDLIST_TMP, mb->name);
	int r = fd_write_all(fd, buf_str(&text), err);

	/* Without a sync a power cut may leave an empty list behind, and all clients fetch all
	 * again. */
	if (r == 0 && mb->uidlist.ino && fdatasync(fd) < 0)
		r = err_sys(err, "sync");
	if (r == 0 && renameat(mb->fd, UIDLIST_TMP, mb->fd, UIDLIST) < 0)
		r = err_sys(err, "rename");
	if (r < 0) {
		(void)unlinkat(mb->fd, UIDLIST_TMP, 0);
		return err_prefix(err, "%s: " UIDLIST, mb->name);
	}
	remember_mark(mb, fd);
	mb->uidlist_rewrite = false;
	mb->uidlist_dead = 0;
	return 0;
}

static int append(struct maildir_box *mb, uint32_t from, struct err *err)
{
	auto_close int fd = openat(mb->fd, UIDLIST, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s: " UIDLIST, mb->name);

	auto_buf struct buf text;
	buf_init(&text, NULL, UIDLIST_MAX);
	put_records(mb, from, &text);
	int r = fd_write_all(fd, buf_str(&text), err);
	if (r < 0) {
		(void)!ftruncate(fd, mb->uidlist.size); /* else a torn line is dropped later */
		return err_prefix(err, "%s: " UIDLIST, mb->name);
	}
	remember_mark(mb, fd);
	return 0;
}

int maildir_uidlist_write(struct maildir_box *mb, uint32_t from, struct err *err)
{
	uint32_t living = store_messages_count(&mb->base.messages);
	if (mb->uidlist_rewrite || mb->uidlist_dead > 100 + living / 4)
		return rewrite(mb, err);
	return from < mb->base.messages.n ? append(mb, from, err) : 0;
}
