/* What nobody waits for, done a little at a time between the work of the sessions.
 *
 * First what the index knows and the directories do not yet: names of files that do not have their
 * flags, files in new/ that a session has seen, files of messages that were expunged; again after a
 * crash, and at once where there is no index. Then the facts of messages that have none yet, files
 * of facts of which most are dead, and an index that has grown long. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "store/maildir/maildir.h"

#define SLICE 64 /* files at a time: well under a millisecond */

/* False: the file is not where we think. */
static bool settle_name(struct maildir_box *mb, struct store_rec *r)
{
	struct store_messages *m = &mb->base.messages;
	struct maildir_path from, to;

	maildir_rec_path(m, r, &from);
	if (!maildir_path_make(&to, false, store_rec_name(m, r), r->letters, r->keywords))
		return true; /* it keeps the name it has */
	if (renameat(mb->fd, from.p, mb->fd, to.p) < 0)
		return errno != ENOENT;
	r->state &= (uint8_t)~STORE_REC_NEW;
	r->file_letters = r->letters;
	r->file_keywords = r->keywords;
	store_messages_set_suffix(m, r, STR_NONE, false);
	store_box_touch_marks(&mb->base, r);
	return true;
}

/* The same. A message that came back under the same name keeps its file. */
static bool settle_removal(struct maildir_box *mb, struct store_rec *r)
{
	struct store_messages *m = &mb->base.messages;
	struct maildir_path path;

	maildir_rec_path(m, r, &path);
	if (!store_messages_by_name(m, store_rec_name(m, r)) && unlinkat(mb->fd, path.p, 0) < 0 &&
	    errno == ENOENT)
		return false;
	r->state &= (uint8_t)~STORE_REC_FILE;
	return true;
}

static bool settle_rec(struct maildir_box *mb, uint32_t uid)
{
	struct store_messages *m = &mb->base.messages;
	uint32_t i = store_messages_from_uid(m, uid);

	if (i == m->n || m->v[i].uid != uid || !maildir_rec_is_unsettled(&m->v[i]))
		return true;
	return m->v[i].state & STORE_REC_GONE ? settle_removal(mb, &m->v[i])
					      : settle_name(mb, &m->v[i]);
}

static void queue_end(struct maildir_box *mb)
{
	box_uids_done(&mb->unsettled);
	mb->unsettled_at = 0;
}

static void settle_slice(struct maildir_box *mb, size_t n)
{
	bool found = true;

	maildir_box_before_change(mb);
	while (n-- && mb->unsettled_at < mb->unsettled.n)
		found &= settle_rec(mb, mb->unsettled.v[mb->unsettled_at++]);
	maildir_box_after_change(mb);
	if (mb->unsettled_at == mb->unsettled.n) {
		queue_end(mb);
		if (found)
			mb->settled = mb->base.modseq;
	}
	maildir_index_write(mb);
	if (found)
		return;
	/* Another program has renamed or removed a file: the scan finds it, and what it finds
	 * unsettled comes into the queue again. */
	mb->rescan = true;
	(void)!maildir_box_refresh(mb, NULL);
}

void maildir_work_later(struct maildir_box *mb)
{
	struct store_pool *p = mb->store->pool;

	if (!list_empty(&mb->settling))
		return;
	if (list_empty(&p->settling) && p->set.unsettled)
		p->set.unsettled();
	list_append(&p->settling, &mb->settling);
}

void maildir_settle_later(struct maildir_box *mb, const struct store_rec *r)
{
	box_uids_put(&mb->unsettled, r->uid);
	maildir_work_later(mb);
}

void maildir_settle_all(struct maildir_box *mb)
{
	if (mb->unsettled.n)
		settle_slice(mb, SIZE_MAX);
}

/* One piece of work for a mailbox, the most urgent first. False: there is none. */
static bool work_on(struct maildir_box *mb)
{
	if (mb->base.stale)
		queue_end(mb);
	else if (mb->unsettled.n)
		settle_slice(mb, SLICE);
	else if (!maildir_facts_fill(mb) && !maildir_facts_compact(mb))
		return maildir_index_shorten(mb);
	return true;
}

bool store_pool_settle(struct store_pool *p)
{
	if (list_empty(&p->settling))
		return false;
	struct maildir_box *mb = LIST_ITEM(p->settling.next, struct maildir_box, settling);
	list_remove(&mb->settling);
	if (work_on(mb) && !mb->base.stale)
		maildir_work_later(mb); /* behind those of others */
	return !list_empty(&p->settling);
}
