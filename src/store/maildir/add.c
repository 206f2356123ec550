/* New messages get their records and UIDs. */

#include <errno.h>

#include "base/err.h"
#include "store/maildir/maildir.h"

#define LOCK_TRIES 3

int maildir_add_begin(struct maildir_box *mb, struct dotlock *lock, struct err *err)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int r = maildir_uidlist_lock(mb, lock, err);
		if (r < 0)
			return r;
		if (maildir_uidlist_is_current(mb) && !mb->base.stale) {
			maildir_box_before_change(mb);
			return 0;
		}
		dotlock_release(lock);
		r = maildir_box_refresh(mb, err);
		if (r < 0)
			return r;
	}
	return err_set(err, -EAGAIN, "%s: the UID list keeps changing", mb->name);
}

static void undo(struct maildir_box *mb, uint32_t from, uint64_t modseq)
{
	struct store_messages *m = &mb->base.messages;
	for (uint32_t i = from; i < m->n; i++)
		store_box_remove(&mb->base, &m->v[i], modseq, false);
	mb->uidlist_rewrite = true; /* part of a line may have been written */
}

int maildir_add(struct maildir_box *mb, const struct maildir_new *v, size_t n, struct err *err)
{
	struct store_box *b = &mb->base;
	uint32_t from = b->messages.n;
	if (n == 0)
		return 0;
	uint64_t modseq = store_box_begin_change(b);
	for (size_t i = 0; i < n; i++) {
		struct store_rec rec = {
			.uid = b->uidnext,
			.size = v[i].size,
			.date = v[i].date,
			.letters = v[i].letters,
			.keywords = v[i].keywords,
			.file_letters = v[i].letters,
			.file_keywords = v[i].keywords,
			.flags = (uint8_t)maildir_letters_to_flags(v[i].letters),
			.state = STORE_REC_RECENT | (v[i].in_new ? STORE_REC_NEW : 0),
		};
		store_rec_set_wire_size(&rec, v[i].wire_size);
		rec.facts = maildir_facts_keep(mb, rec.uid, &v[i].facts);
		struct store_rec_strings strings = { .name = v[i].base };
		store_box_add(b, &rec, &strings, modseq);
	}
	int r = maildir_uidlist_write(mb, from, err);
	if (r < 0)
		undo(mb, from, modseq);
	maildir_box_after_change(mb);
	maildir_index_write(mb);
	return r;
}

int maildir_mark(struct maildir_box *mb, const struct store_mark *mark, struct maildir_marks *out,
		 struct err *err)
{
	int failed = 0;
	*out = (struct maildir_marks){ maildir_letters_with_flags(0, mark->flags), 0 };
	for (size_t i = 0; i < mark->nkeywords; i++) {
		int bit = maildir_keyword_bit(mb, mark->keywords[i], true, err);
		if (bit >= 0)
			out->keywords |= 1u << bit;
		else if (bit != -E2BIG && bit != -EINVAL)
			failed = bit;
	}
	return failed;
}
