/* Flags and removal. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "store/commit.h"
#include "store/maildir/maildir.h"

#define PASSES_MAX 3 /* over the set, when other programs rename files meanwhile */

struct wanted {
	uint32_t letters, keywords;
};

static struct wanted wanted_marks(const struct store_rec *r, const struct store_change *c)
{
	uint32_t flags = r->flags, keywords = r->keywords, bits = (uint32_t)c->keywords;
	switch (c->op) {
	case STORE_FLAGS_ADD:
		flags |= c->flags;
		keywords |= bits;
		break;
	case STORE_FLAGS_REMOVE:
		flags &= ~c->flags;
		keywords &= ~bits;
		break;
	case STORE_FLAGS_REPLACE:
		flags = c->flags;
		keywords = bits;
		break;
	}
	return (struct wanted){ maildir_letters_with_flags(r->letters, flags), keywords };
}

static int rename_file(struct maildir_box *mb, struct store_rec *r, struct wanted w)
{
	struct store_messages *m = &mb->base.messages;
	struct maildir_path from, to;
	maildir_rec_path(m, r, &from);
	if (!maildir_path_make(&to, false, store_rec_name(m, r), w.letters, w.keywords))
		return -ENAMETOOLONG;
	if (renameat(mb->fd, from.p, mb->fd, to.p) < 0)
		return -errno;
	r->state &= (uint8_t)~STORE_REC_NEW;
	r->file_letters = w.letters;
	r->file_keywords = w.keywords;
	store_messages_set_suffix(m, r, STR_NONE, false);
	return 0;
}

/* The index has it at once, the file's name later. 0, -ENOENT when the file is not where we think,
 * or another error. */
static int change_rec(struct maildir_box *mb, struct store_rec *r, struct wanted w)
{
	if (!mb->base.indexed) {
		int e = rename_file(mb, r, w);
		if (e < 0)
			return e;
	}
	r->letters = w.letters;
	r->keywords = w.keywords;
	store_messages_set_flags(&mb->base.messages, r,
				 (uint8_t)maildir_letters_to_flags(w.letters));
	if (mb->base.indexed)
		maildir_settle_later(mb, r);
	return 0;
}

struct change_run {
	struct store_view *v;
	const struct store_uids *set;
	const struct store_change *c;
	struct store_uids *modified;
	uint64_t modseq;
	bool moved;   /* a file was not where we thought */
	bool changed; /* something was done */
};

/* What changes nothing takes none. */
static uint64_t modseq_of(struct change_run *run)
{
	if (!run->modseq)
		run->modseq = store_box_begin_change(run->v->box);
	return run->modseq;
}

static int change_pass(struct change_run *run, struct err *err)
{
	struct maildir_box *mb = maildir_box(run->v->box);
	struct store_walk w = store_walk_begin(run->v, run->set);
	for (struct store_rec *r = store_walk_next(&w); r; r = store_walk_next(&w)) {
		if (run->modseq && r->modseq == run->modseq)
			continue; /* done in an earlier pass */
		if (run->c->conditional && r->modseq > run->c->unchanged_since) {
			if (run->modified && !store_uids_has(run->modified, r->uid))
				store_uids_add(run->c->a, run->modified, r->uid);
			continue;
		}
		struct wanted want = wanted_marks(r, run->c);
		if (want.letters == r->letters && want.keywords == r->keywords)
			continue;
		if (run->c->silent)
			store_view_before_own_change(run->v, r);
		int e = change_rec(mb, r, want);
		if (e == -ENOENT)
			run->moved = true;
		else if (e < 0)
			return err_set(err, e, "%s: message %u: set flags", mb->name, r->uid);
		else
			store_box_stamp(&mb->base, r, modseq_of(run));
		run->changed |= e == 0;
	}
	return 0;
}

/* Passes over a set until every file was found or is known to be gone. */
static int run_passes(struct change_run *run, int (*pass)(struct change_run *, struct err *),
		      struct err *err)
{
	struct maildir_box *mb = maildir_box(run->v->box);
	if (mb->base.stale)
		return err_set(err, -ESTALE, "mailbox was deleted or replaced");
	if (run->v->mode & STORE_VIEW_READ_ONLY)
		return err_set(err, -EROFS, "mailbox is open read-only");

	maildir_box_before_change(mb);
	int r = 0;
	for (int i = 0; i < PASSES_MAX; i++) {
		run->moved = false;
		r = pass(run, err);
		if (r < 0 || !run->moved)
			break;
		mb->rescan = true;
		r = maildir_box_refresh(mb, err);
		if (r < 0)
			break;
		maildir_box_before_change(mb);
		if (run->modified)
			run->modified->n = 0;
	}
	if (run->changed) {
		if (!mb->base.indexed)
			maildir_box_after_change(mb);
		maildir_index_write(mb);
		store_box_notify(&mb->base, run->v);
	}
	return r;
}

int store_view_change(struct store_view *v, const struct store_uids *set,
		      const struct store_change *c, struct store_uids *modified, struct err *err)
{
	struct change_run run = { .v = v, .set = set, .c = c, .modified = modified };
	if (modified)
		*modified = (struct store_uids){ 0 };
	int r = run_passes(&run, change_pass, err);
	if (c->silent && run.modseq)
		store_view_own_change(v, run.modseq);
	return r;
}

int store_view_commit(struct store_view *v, struct store_commit *c, struct err *err)
{
	struct maildir_box *mb = maildir_box(v->box);

	return store_commit_add(c, mb->base.indexed ? mb->index.fd : mb->fd, err);
}

struct removal {
	struct change_run run;
	bool only_deleted;
	int count;
};

static int remove_file(struct maildir_box *mb, const struct store_rec *r)
{
	struct maildir_path path;
	maildir_rec_path(&mb->base.messages, r, &path);
	return unlinkat(mb->fd, path.p, 0) < 0 ? -errno : 0;
}

static int remove_pass(struct change_run *run, struct err *err)
{
	struct removal *rm = CONTAINER_OF(run, struct removal, run);
	struct maildir_box *mb = maildir_box(run->v->box);
	struct store_walk w = store_walk_begin(run->v, run->set);
	for (struct store_rec *r = store_walk_next(&w); r; r = store_walk_next(&w)) {
		if (rm->only_deleted && !(r->flags & STORE_DELETED))
			continue;
		int e = mb->base.indexed ? 0 : remove_file(mb, r);
		if (e == -ENOENT)
			run->moved = true;
		else if (e < 0)
			return err_set(err, e, "%s: message %u: remove", mb->name, r->uid);
		if (e < 0)
			continue;
		store_box_remove(&mb->base, r, modseq_of(run), mb->base.indexed);
		if (mb->base.indexed)
			maildir_settle_later(mb, r);
		mb->uidlist_dead++;
		run->changed = true;
		rm->count++;
	}
	return 0;
}

static int remove_messages(struct store_view *v, const struct store_uids *set, bool only_deleted,
			   struct err *err)
{
	struct removal rm = { .run = { .v = v, .set = set }, .only_deleted = only_deleted };
	int r = run_passes(&rm.run, remove_pass, err);
	return r < 0 ? r : rm.count;
}

int store_view_expunge(struct store_view *v, const struct store_uids *set, struct err *err)
{
	return remove_messages(v, set, true, err);
}

int store_view_remove(struct store_view *v, const struct store_uids *set, struct err *err)
{
	return remove_messages(v, set, false, err);
}
