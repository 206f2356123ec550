#include "store/box.h"

#include <stdlib.h>

#include "store/view.h"

void store_box_init(struct store_box *b)
{
	*b = (struct store_box){ .uidnext = 1, .modseq = 1, .log_from = 1, .gone_from = 1 };
	store_messages_init(&b->messages);
	list_init(&b->views);
}

void store_box_done(struct store_box *b)
{
	check(list_empty(&b->views));
	if (b->note.p)
		b->note.free(b->note.p);
	store_messages_done(&b->messages);
	free(b->log);
	free(b->gone);
	box_uids_done(&b->new_marks);
	box_uids_done(&b->new_recs);
	b->log = NULL;
	b->gone = NULL;
}

uint64_t store_box_begin_change(struct store_box *b)
{
	return ++b->modseq;
}

static void log_put(struct store_box *b, uint32_t uid, uint64_t modseq)
{
	if (list_empty(&b->views)) { /* nobody will ask what happened before now */
		b->nlog = 0;
		b->log_from = modseq;
		return;
	}
	if (!b->log) {
		b->log = calloc(BOX_LOG_MAX, sizeof(*b->log));
		if (!b->log)
			check_no_memory();
	}
	if (b->nlog == BOX_LOG_MAX) {
		size_t half = BOX_LOG_MAX / 2;
		b->log_from = b->log[half - 1].modseq;
		memmove(b->log, b->log + half, (BOX_LOG_MAX - half) * sizeof(*b->log));
		b->nlog -= half;
	}
	b->log[b->nlog++] = (struct box_log_entry){ modseq, uid };
}

void box_uids_put(struct box_uids *uids, uint32_t uid)
{
	if (uids->n && uids->v[uids->n - 1] == uid)
		return;
	if (uids->n == uids->cap) {
		size_t cap = uids->cap ? uids->cap * 2 : 64;
		uint32_t *v = realloc(uids->v, cap * sizeof(*v));
		if (!v)
			check_no_memory();
		uids->v = v;
		uids->cap = cap;
	}
	uids->v[uids->n++] = uid;
}

void box_uids_done(struct box_uids *uids)
{
	free(uids->v);
	*uids = (struct box_uids){ 0 };
}

void store_box_touch_marks(struct store_box *b, const struct store_rec *r)
{
	if (b->indexed && r->uid <= b->told_uid)
		box_uids_put(&b->new_marks, r->uid);
}

void store_box_touch(struct store_box *b, const struct store_rec *r)
{
	if (b->indexed && r->uid <= b->told_uid)
		box_uids_put(&b->new_recs, r->uid);
}

void store_box_told(struct store_box *b)
{
	b->told_uid = b->messages.n ? b->messages.v[b->messages.n - 1].uid : 0;
	b->told_gone = b->ngone;
	b->told_too_late = false;
	box_uids_done(&b->new_marks);
	box_uids_done(&b->new_recs);
}

void store_box_stamp(struct store_box *b, struct store_rec *r, uint64_t modseq)
{
	r->modseq = modseq;
	log_put(b, r->uid, modseq);
	store_box_touch_marks(b, r);
}

void store_box_notify(struct store_box *b, const struct store_view *by)
{
	LIST_FOREACH_SAFE (it, &b->views) {
		struct store_view *v = LIST_ITEM(it, struct store_view, node);
		if (v != by && v->watch)
			v->watch(v->watch_arg);
	}
	if (b->changed)
		b->changed(b);
}

struct store_rec *store_box_add(struct store_box *b, const struct store_rec *rec,
				const struct store_rec_strings *s, uint64_t modseq)
{
	struct store_rec *r = store_messages_add(&b->messages, rec, s);
	r->modseq = modseq;
	if (r->uid >= b->uidnext)
		b->uidnext = r->uid + 1;
	if (r->state & STORE_REC_RECENT && b->messages.recent == 1)
		b->recent_from = r->uid;
	return r;
}

void store_box_set_recent(struct store_box *b, struct store_rec *r)
{
	if (b->messages.recent == 0 || r->uid < b->recent_from)
		b->recent_from = r->uid;
	store_messages_set_recent(&b->messages, r, true);
}

void store_box_put_gone(struct store_box *b, struct box_gone gone)
{
	struct box_gone *last = b->ngone ? &b->gone[b->ngone - 1] : NULL;

	if (last && b->ngone > b->told_gone && last->modseq == gone.modseq &&
	    last->has_file == gone.has_file && last->last + 1 == gone.first) {
		last->last = gone.last;
		return;
	}
	if (b->ngone == b->gone_cap && b->gone_cap < BOX_GONE_MAX) {
		b->gone_cap = b->gone_cap ? b->gone_cap * 2 : 16;
		b->gone = realloc(b->gone, b->gone_cap * sizeof(*b->gone));
		if (!b->gone)
			check_no_memory();
	} else if (b->ngone == b->gone_cap) {
		size_t half = BOX_GONE_MAX / 2;
		b->gone_from = b->gone[half - 1].modseq;
		memmove(b->gone, b->gone + half, (b->ngone - half) * sizeof(*b->gone));
		b->ngone -= half;
		b->told_too_late |= b->told_gone < half;
		b->told_gone = b->told_gone > half ? b->told_gone - half : 0;
	}
	b->gone[b->ngone++] = gone;
}

void store_box_remove(struct store_box *b, struct store_rec *r, uint64_t modseq, bool has_file)
{
	r->modseq = modseq;
	log_put(b, r->uid, modseq);
	store_messages_remove(&b->messages, r);
	if (has_file)
		r->state |= STORE_REC_FILE;
	store_box_put_gone(b, (struct box_gone){ modseq, r->uid, r->uid, has_file });
}
