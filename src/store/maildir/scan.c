/* Comparing a loaded mailbox with its directories: what came, what went, what was flagged by
 * others. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"

/* A directory changed this shortly before we read it may change again within one time stamp. */
#define RACY_NS 20000000L
/* Changes of our own hide one of somebody else in the same instant: look again after this long. */
#define OWN_CHANGE_RESCAN_MS 60000

struct found_file {
	struct maildir_filename name; /* slices live in the scan's arena */
	struct str suffix;
	bool in_new;
};

struct scan {
	struct maildir_box *mb;
	struct arena a;
	uint64_t modseq; /* of the changes found; 0: none yet */
	struct found_file *fresh;
	size_t nfresh, cap;
	struct found_file *twice; /* a second file with the base of another */
	size_t ntwice, twice_cap;
};

int64_t maildir_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t scan_modseq(struct scan *s)
{
	if (!s->modseq)
		s->modseq = store_box_begin_change(&s->mb->base);
	return s->modseq;
}

static void remember(struct scan *s, const struct maildir_filename *name, struct str suffix,
		     bool in_new, bool twice)
{
	struct found_file **v = twice ? &s->twice : &s->fresh;
	size_t *n = twice ? &s->ntwice : &s->nfresh, *cap = twice ? &s->twice_cap : &s->cap;
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		struct found_file *bigger = ARENA_NEW_ARRAY(&s->a, struct found_file, *cap);
		if (*n)
			memcpy(bigger, *v, *n * sizeof(*bigger));
		*v = bigger;
	}
	struct found_file *f = &(*v)[(*n)++];
	*f = (struct found_file){ *name, arena_str(&s->a, suffix), in_new };
	f->name.base = arena_str(&s->a, name->base);
}

static bool rec_is_at(const struct store_messages *m, const struct store_rec *r,
		      const struct maildir_filename *name, struct str suffix, bool in_new)
{
	bool exact = r->state & STORE_REC_EXACT;
	bool want_exact = in_new ? suffix.n > 0 : !name->canonical;
	return r->file_letters == name->letters && r->file_keywords == name->keywords &&
	       in_new == ((r->state & STORE_REC_NEW) != 0) && exact == want_exact &&
	       (!exact || str_eq(store_rec_suffix(m, r), suffix));
}

/* What another program changed in a file's name, done to what we want there. */
static uint32_t merge(uint32_t wanted, uint32_t had, uint32_t has)
{
	return (wanted | (has & ~had)) & ~(had & ~has);
}

/* The record takes over where its file is and under which flags. */
static void rec_set_place(struct store_box *b, struct store_rec *r,
			  const struct maildir_filename *name, struct str suffix, bool in_new)
{
	bool exact = in_new ? suffix.n > 0 : !name->canonical;

	r->state &= (uint8_t)~STORE_REC_NEW;
	if (in_new)
		r->state |= STORE_REC_NEW;
	r->letters = merge(r->letters, r->file_letters, name->letters);
	r->keywords = merge(r->keywords, r->file_keywords, name->keywords);
	r->file_letters = name->letters;
	r->file_keywords = name->keywords;
	b->told_too_late |= exact; /* of the strings only a new picture tells */
	store_messages_set_suffix(&b->messages, r, suffix, exact);
	if (!(r->state & STORE_REC_GONE))
		store_messages_set_flags(&b->messages, r,
					 (uint8_t)maildir_letters_to_flags(r->letters));
}

/* Expunged, but not removed yet: and another program has renamed it. */
static void take_ghost(struct scan *s, struct store_rec *r, const struct found_file *f)
{
	struct store_box *b = &s->mb->base;

	r->state |= STORE_REC_FOUND;
	if (!rec_is_at(&b->messages, r, &f->name, f->suffix, f->in_new))
		rec_set_place(b, r, &f->name, f->suffix, f->in_new);
	maildir_settle_later(s->mb, r);
}

static void take_file(struct scan *s, struct str file, bool in_new)
{
	struct maildir_filename name;
	struct store_box *b = &s->mb->base;
	if (!maildir_filename_parse(file, &name))
		return;
	struct str suffix = str_skip(file, name.base.n);
	struct store_rec *r = store_messages_by_name(&b->messages, name.base);

	if (!r) {
		struct store_rec *ghost = store_messages_ghost(&b->messages, name.base);
		if (ghost)
			take_ghost(s, ghost, &(struct found_file){ name, suffix, in_new });
		else
			remember(s, &name, suffix, in_new, false);
		return;
	}
	bool same = rec_is_at(&b->messages, r, &name, suffix, in_new);
	if (r->state & STORE_REC_FOUND) {
		if (!same)
			remember(s, &name, suffix, in_new, true);
		return;
	}
	bool first = r->modseq == 0; /* known from the UID list only */
	r->state |= STORE_REC_FOUND;
	if (same && !first)
		return;
	uint32_t letters = r->letters, keywords = r->keywords;
	rec_set_place(b, r, &name, suffix, in_new);
	if (first) {
		r->modseq = b->modseq;
		if (in_new)
			store_box_set_recent(b, r);
	} else if (letters != r->letters || keywords != r->keywords) {
		store_box_stamp(b, r, scan_modseq(s));
	}
	store_box_touch_marks(b, r);
	if (maildir_rec_is_unsettled(r))
		maildir_settle_later(s->mb, r);
}

static int scan_dir(struct scan *s, const char *dir, struct err *err)
{
	int fd = openat(s->mb->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, -ESTALE, "%s: mailbox is gone", s->mb->name);
	if (fd < 0)
		return err_sys(err, "%s: %s", s->mb->name, dir);
	DIR *d = fdopendir(fd);
	if (!d) {
		int r = err_sys(err, "%s: %s", s->mb->name, dir);
		close(fd);
		return r;
	}

	bool in_new = dir[0] == 'n';
	const struct dirent *e;
	errno = 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_type != DT_DIR)
			take_file(s, str_from(e->d_name), in_new);
		errno = 0;
	}
	int r = errno ? err_sys(err, "%s: %s", s->mb->name, dir) : 0;
	closedir(d);
	return r;
}

static int dir_times(struct maildir_box *mb, struct timespec *new_mtime, struct timespec *cur_mtime)
{
	struct stat new_st, cur_st;
	if (fstatat(mb->fd, "new", &new_st, 0) < 0 || fstatat(mb->fd, "cur", &cur_st, 0) < 0)
		return -errno;
	*new_mtime = new_st.st_mtim;
	*cur_mtime = cur_st.st_mtim;
	return 0;
}

static bool is_racy(struct timespec mtime)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t ns =
		(int64_t)(now.tv_sec - mtime.tv_sec) * 1000000000 + now.tv_nsec - mtime.tv_nsec;
	return ns < RACY_NS;
}

static uint32_t count_missing(const struct store_messages *m)
{
	uint32_t missing = 0;
	for (uint32_t i = 0; i < m->n; i++)
		missing += !(m->v[i].state & (STORE_REC_GONE | STORE_REC_FOUND));
	return missing;
}

/* One pass over both directories. new/ comes last: a file on its way to cur/ is seen twice, not
 * never. */
static int scan_pass(struct scan *s, struct err *err)
{
	struct store_messages *m = &s->mb->base.messages;
	s->nfresh = s->ntwice = 0;
	for (uint32_t i = 0; i < m->n; i++)
		m->v[i].state &= (uint8_t)~STORE_REC_FOUND;
	int r = scan_dir(s, "new", err);
	return r < 0 ? r : scan_dir(s, "cur", err);
}

/* Microseconds of arrival from "<seconds>.M<microseconds>P..."; only the order matters. */
static uint64_t base_time(const char *base)
{
	char *end;
	uint64_t seconds = strtoull(base, &end, 10), micros = 0;
	if (end[0] == '.' && end[1] == 'M' && ascii_is_digit(end[2]))
		micros = strtoull(end + 2, NULL, 10);
	return seconds * 1000000 + (micros < 1000000 ? micros : 0);
}

static int fresh_cmp(const void *x, const void *y)
{
	const struct found_file *a = x, *b = y;
	uint64_t ta = base_time(a->name.base.p), tb = base_time(b->name.base.p);
	if (ta != tb)
		return ta < tb ? -1 : 1;
	return str_cmp(a->name.base, b->name.base);
}

static void add_fresh(struct scan *s)
{
	struct store_box *b = &s->mb->base;
	if (s->nfresh == 0)
		return;
	qsort(s->fresh, s->nfresh, sizeof(*s->fresh), fresh_cmp);
	for (size_t i = 0; i < s->nfresh; i++) {
		const struct found_file *f = &s->fresh[i];
		if (store_messages_by_name(&b->messages, f->name.base)) {
			s->mb->rescan = true; /* a second file of that name: for the next scan */
			continue;
		}
		struct store_rec rec = {
			.uid = b->uidnext,
			.size = f->name.size,
			.date = INT64_MIN,
			.letters = f->name.letters,
			.keywords = f->name.keywords,
			.file_letters = f->name.letters,
			.file_keywords = f->name.keywords,
			.flags = (uint8_t)maildir_letters_to_flags(f->name.letters),
			.state = STORE_REC_FOUND,
		};
		if (f->in_new)
			rec.state |= STORE_REC_NEW | STORE_REC_RECENT;
		store_rec_set_wire_size(&rec, f->name.wire_size);
		bool exact = f->in_new ? f->suffix.n > 0 : !f->name.canonical;
		struct store_rec_strings strings = { f->name.base, f->suffix, STR_NONE, exact };
		store_box_add(b, &rec, &strings, scan_modseq(s));
	}
}

static void remove_missing(struct scan *s)
{
	struct store_box *b = &s->mb->base;
	for (uint32_t i = 0; i < b->messages.n; i++) {
		struct store_rec *r = &b->messages.v[i];
		if (r->state & STORE_REC_GONE && !(r->state & STORE_REC_FOUND))
			r->state &= (uint8_t)~STORE_REC_FILE; /* somebody has removed it */
		if (r->state & (STORE_REC_GONE | STORE_REC_FOUND))
			continue;
		store_box_remove(b, r, scan_modseq(s), false);
		s->mb->uidlist_dead++;
	}
}

static void file_path(const struct found_file *f, struct maildir_path *out)
{
	snprintf(out->p, sizeof(out->p), "%s/%" STR_FMT "%" STR_FMT, f->in_new ? "new" : "cur",
		 STR_ARG(f->name.base), STR_ARG(f->suffix));
}

/* Two files under one base: a second link of one file goes, another file gets a name of its own. */
static void resolve_twice(struct scan *s, const struct found_file *f)
{
	struct maildir_box *mb = s->mb;
	struct maildir_path first, second, renamed;
	struct stat a, b;
	char unique[128];

	struct store_rec *r = store_messages_by_name(&mb->base.messages, f->name.base);
	if (!r)
		return;
	maildir_rec_path(&mb->base.messages, r, &first);
	file_path(f, &second);
	if (fstatat(mb->fd, second.p, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* it was renamed while we read the directory */
	if (fstatat(mb->fd, first.p, &a, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* the other way round: the next scan finds it */
	if (a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
		(void)unlinkat(mb->fd, second.p, 0);
		return;
	}
	struct str name = maildir_unique_name(mb->store->pool, unique);
	if (!maildir_path_make(&renamed, false, name, f->name.letters, f->name.keywords) ||
	    renameat(mb->fd, second.p, mb->fd, renamed.p) < 0)
		return;
	maildir_report(mb->store, STORE_REPAIRED, mb->dir,
		       "two files with one name: the second was renamed");
}

/* With the UID list locked nobody but careless programs is in the middle of a change. */
static int scan_locked(struct scan *s, struct err *err)
{
	struct maildir_box *mb = s->mb;
	struct timespec new_before, cur_before, new_after = { 0 }, cur_after = { 0 };

	int r = maildir_uidlist_read(mb, err);
	if (r < 0)
		return r;
	maildir_keywords_read(mb);
	for (int pass = 0;; pass++) {
		r = dir_times(mb, &new_before, &cur_before);
		if (r < 0)
			return err_set(err, -ESTALE, "%s: mailbox is gone", mb->name);
		r = scan_pass(s, err);
		if (r < 0)
			return r;
		mb->rescan = !mb->watch_new && (is_racy(new_before) || is_racy(cur_before));
		if (pass > 0 || (count_missing(&mb->base.messages) == 0 && s->ntwice == 0))
			break;
		for (size_t i = 0; i < s->ntwice; i++)
			resolve_twice(s, &s->twice[i]);

		/* A rename during the scan can hide a file: unless the directories stood still,
		 * only what two scans miss is gone. */
		bool still = s->ntwice == 0 && !mb->rescan &&
			     dir_times(mb, &new_after, &cur_after) == 0 &&
			     timespec_eq(new_before, new_after) &&
			     timespec_eq(cur_before, cur_after);
		if (still)
			break;
	}
	remove_missing(s);
	uint32_t first_new = mb->base.messages.n;
	add_fresh(s);
	mb->new_mtime = new_before;
	mb->cur_mtime = cur_before;
	mb->own_since = 0;
	return maildir_uidlist_write(mb, first_new, err);
}

/* While another program holds the lock: flags are taken over, arrivals and removals wait. */
static int scan_unlocked(struct scan *s, struct err *err)
{
	maildir_keywords_read(s->mb);
	int r = scan_pass(s, err);
	s->mb->rescan = true;
	return r;
}

static int scan_run(struct maildir_box *mb, struct err *err)
{
	struct scan s = { .mb = mb };
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;

	int r = maildir_uidlist_lock(mb, &lock, err);
	if (r == 0)
		r = scan_locked(&s, err);
	else if (mb->base.uidvalidity) /* loaded before: what we have stays usable */
		r = scan_unlocked(&s, err);
	dotlock_release(&lock);
	arena_done(&s.a);
	if (s.modseq)
		store_box_notify(&mb->base, NULL);
	return r;
}

int maildir_box_refresh(struct maildir_box *mb, struct err *err)
{
	struct timespec new_mtime, cur_mtime;
	if (mb->base.stale)
		return err_set(err, -ESTALE, "%s: mailbox is gone", mb->name);
	if (mb->watch_new)
		store_pool_notice(mb->store->pool);
	int r = dir_times(mb, &new_mtime, &cur_mtime);
	if (r == -ENOENT) {
		mb->base.stale = true;
		return err_set(err, -ESTALE, "%s: mailbox is gone", mb->name);
	}
	if (r < 0)
		return err_set(err, r, "%s: stat", mb->name);

	bool ours_hide = mb->own_since && maildir_now_ms() - mb->own_since > OWN_CHANGE_RESCAN_MS;
	if (!mb->rescan && !ours_hide && timespec_eq(new_mtime, mb->new_mtime) &&
	    timespec_eq(cur_mtime, mb->cur_mtime) && maildir_uidlist_is_current(mb))
		return 0;

	r = scan_run(mb, err);
	if (r == -ESTALE)
		mb->base.stale = true;
	else if (mb->base.indexed)
		maildir_index_write(mb);
	else
		maildir_settle_all(mb);
	return r;
}

void maildir_box_before_change(struct maildir_box *mb)
{
	struct timespec new_mtime, cur_mtime;
	if (mb->watch_new) /* of our earlier changes, before their files move on */
		store_pool_notice(mb->store->pool);
	if (dir_times(mb, &new_mtime, &cur_mtime) < 0 || !timespec_eq(new_mtime, mb->new_mtime) ||
	    !timespec_eq(cur_mtime, mb->cur_mtime))
		mb->rescan = true;
}

void maildir_box_after_change(struct maildir_box *mb)
{
	if (dir_times(mb, &mb->new_mtime, &mb->cur_mtime) < 0)
		mb->rescan = true;
	if (!mb->own_since && !mb->watch_new)
		mb->own_since = maildir_now_ms();
}
