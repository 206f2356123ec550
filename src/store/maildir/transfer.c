/* COPY and MOVE: a message file is linked or renamed into the other mailbox; its bytes stay where
 * they are. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/commit.h"
#include "store/maildir/maildir.h"

#define TRIES_MAX 3 /* when other programs rename files meanwhile */

struct item {
	uint32_t uid;
	struct maildir_path from, to;
	struct maildir_new new;
};

struct transfer {
	struct store_view *view;
	struct maildir_box *src, *dst;
	const struct store_copy_args *args;
	bool move;
	struct arena a;
	struct item *items;
	size_t n;
	int8_t bits[STORE_KEYWORDS_MAX]; /* source bit -> target bit; -1: none, -2: not asked yet */
};

static uint32_t map_keywords(struct transfer *t, uint32_t keywords)
{
	uint32_t out = 0;
	if (t->src == t->dst)
		return keywords;
	for (unsigned i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (!(keywords & 1u << i))
			continue;
		if (t->bits[i] == -2) {
			struct str name = t->src->base.keywords.names[i];
			int bit = name.n ? maildir_keyword_bit(t->dst, name, true, NULL) : -1;
			t->bits[i] = (int8_t)(bit < 0 ? -1 : bit);
		}
		if (t->bits[i] >= 0)
			out |= 1u << t->bits[i];
	}
	return out;
}

/* The name is kept, as the contents are the same, unless the target has it already. */
static struct str target_base(struct transfer *t, const struct store_rec *r)
{
	const struct store_messages *there = &t->dst->base.messages;
	struct str name = store_rec_name(&t->src->base.messages, r);
	char unique[128];
	if (t->src != t->dst && !store_messages_by_name(there, name) &&
	    !store_messages_ghost(there, name))
		return arena_str(&t->a, name);
	struct str fresh = maildir_unique_name(t->dst->store->pool, unique);
	ssize_t comma = str_find_byte(name, ',');
	struct str sizes = comma < 0 ? STR_NONE : str_skip(name, (size_t)comma);
	return arena_printf(&t->a, "%" STR_FMT "%" STR_FMT, STR_ARG(fresh), STR_ARG(sizes));
}

static int collect(struct transfer *t, struct err *err)
{
	t->items = ARENA_NEW_ARRAY(&t->a, struct item, t->view->n);
	t->n = 0;
	struct store_walk w = store_walk_begin(t->view, t->args->set);
	for (struct store_rec *r = store_walk_next(&w); r; r = store_walk_next(&w)) {
		struct item *it = &t->items[t->n++];
		it->uid = r->uid;
		maildir_rec_path(&t->src->base.messages, r, &it->from);
		it->new = (struct maildir_new){
			.base = target_base(t, r),
			.letters = r->letters,
			.keywords = map_keywords(t, r->keywords),
			.size = r->size,
			.wire_size = store_rec_wire_size(r),
			.date = r->date,
			.in_new = r->state & STORE_REC_NEW && !(r->state & STORE_REC_EXACT) &&
				  r->letters == 0 && r->keywords == 0,
			.facts = { .from = t->src, .place = r->facts, .uid = r->uid },
		};
		if (!maildir_path_make(&it->to, it->new.in_new, it->new.base, it->new.letters,
				       it->new.keywords))
			return err_set(err, -ENAMETOOLONG, "file name too long");
	}
	return 0;
}

/* Where links are not to be had, the bytes. */
static int copy_bytes(struct transfer *t, const struct item *it)
{
	struct stat st;
	auto_close int in = openat(t->src->fd, it->from.p, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0)
		return -errno;
	auto_close int out =
		openat(t->dst->fd, it->to.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(out, in, NULL, (size_t)(st.st_size - done));
		if (n <= 0) {
			int e = n < 0 ? -errno : -EIO;
			(void)unlinkat(t->dst->fd, it->to.p, 0);
			return e;
		}
		done += n;
	}
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, st.st_mtim };
	(void)futimens(out, times);
	return 0;
}

static int place(struct transfer *t, const struct item *it)
{
	if (t->move)
		return renameat(t->src->fd, it->from.p, t->dst->fd, it->to.p) < 0 ? -errno : 0;
	if (linkat(t->src->fd, it->from.p, t->dst->fd, it->to.p, 0) == 0)
		return 0;
	if (errno == EMLINK || errno == EPERM || errno == EXDEV)
		return copy_bytes(t, it);
	return -errno;
}

static void take_back(struct transfer *t, size_t n)
{
	while (n-- > 0) {
		const struct item *it = &t->items[n];
		if (t->move)
			(void)renameat(t->dst->fd, it->to.p, t->src->fd, it->from.p);
		else
			(void)unlinkat(t->dst->fd, it->to.p, 0);
	}
}

static int place_all(struct transfer *t, struct err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct item *it = &t->items[i];
		int r = place(t, it);
		if (r == -ENOENT)
			t->src->rescan = true;
		if (r < 0) {
			take_back(t, i);
			return err_set(err, r, "%s: message %u: %s", t->src->name, it->uid,
				       t->move ? "move" : "copy");
		}
	}
	return 0;
}

static int add_all(struct transfer *t, struct err *err)
{
	struct maildir_new *v = ARENA_NEW_ARRAY(&t->a, struct maildir_new, t->n);
	for (size_t i = 0; i < t->n; i++)
		v[i] = t->items[i].new;
	int r = maildir_add(t->dst, v, t->n, err);
	if (r < 0)
		take_back(t, t->n);
	return r;
}

static void remove_moved(struct transfer *t)
{
	struct store_box *b = &t->src->base;
	if (t->n == 0)
		return;
	uint64_t modseq = store_box_begin_change(b);
	for (size_t i = 0; i < t->n; i++) {
		struct store_rec *r = store_messages_by_uid(&b->messages, t->items[i].uid);
		check(r);
		store_box_remove(b, r, modseq, false);
		t->src->uidlist_dead++;
	}
	maildir_box_after_change(t->src);
	maildir_index_write(t->src);
	store_box_notify(b, t->view);
}

static void fill_result(struct transfer *t, uint32_t first_uid, struct store_copied *out)
{
	*out = (struct store_copied){ .uidvalidity = t->dst->base.uidvalidity };
	for (size_t i = 0; i < t->n; i++) {
		store_uids_add(t->args->a, &out->from, t->items[i].uid);
		store_uids_add(t->args->a, &out->to, first_uid + (uint32_t)i);
		out->bytes += t->items[i].new.wire_size;
		out->n++;
	}
}

static int sync_later(struct transfer *t, struct err *err)
{
	int r = store_commit_add(t->args->commit, t->dst->fd, err);

	return r < 0 ? r : store_commit_add(t->args->commit, t->src->fd, err);
}

/* -ENOENT: a file was not where we thought, nothing was done. */
static int transfer_once(struct transfer *t, struct store_copied *out, struct err *err)
{
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	int r = maildir_add_begin(t->dst, &lock, err);
	if (r < 0)
		return r;
	maildir_box_before_change(t->src);
	uint32_t first_uid = t->dst->base.uidnext;

	r = collect(t, err);
	if (r == 0)
		r = place_all(t, err);
	if (r == 0)
		r = add_all(t, err);
	if (r < 0)
		return r;
	if (t->move)
		remove_moved(t);
	fill_result(t, first_uid, out);
	store_box_notify(&t->dst->base, t->view);
	return sync_later(t, err);
}

static int transfer_pinned(struct transfer *t, struct store_copied *out, struct err *err)
{
	for (int tries = 1;; tries++) {
		int r = transfer_once(t, out, err);
		arena_reset(&t->a);
		if (r != -ENOENT || tries == TRIES_MAX)
			return r == -ENOENT ? -EAGAIN : r;
		r = maildir_box_refresh(t->src, err);
		if (r < 0)
			return r;
	}
}

static int transfer(struct store_view *v, const struct store_copy_args *args, bool move,
		    struct store_copied *out, struct err *err)
{
	struct transfer t = { .view = v, .src = maildir_box(v->box), .args = args, .move = move };
	if (v->box->stale)
		return err_set(err, -ESTALE, "mailbox was deleted or replaced");
	if (move && v->mode & STORE_VIEW_READ_ONLY)
		return err_set(err, -EROFS, "mailbox is open read-only");
	memset(t.bits, -2, sizeof(t.bits));

	int r = maildir_box_get(t.src->store, args->to, &t.dst, err);
	if (r < 0)
		return r;
	r = transfer_pinned(&t, out, err);
	arena_done(&t.a);
	maildir_box_release(t.dst);
	return r;
}

int store_view_copy(struct store_view *v, const struct store_copy_args *args,
		    struct store_copied *out, struct err *err)
{
	return transfer(v, args, false, out, err);
}

int store_view_move(struct store_view *v, const struct store_copy_args *args,
		    struct store_copied *out, struct err *err)
{
	return transfer(v, args, true, out, err);
}
