#include "store/box.h"

#include <stdlib.h>

#include "store/view.h"

void store_box_init(struct store_box *b)
{
	*b = (struct store_box){ .uidnext = 1, .modseq = 1, .log_from = 1 };
	store_messages_init(&b->messages);
	list_init(&b->views);
}

void store_box_done(struct store_box *b)
{
	check(list_empty(&b->views));
	store_messages_done(&b->messages);
	free(b->log);
	b->log = NULL;
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

void store_box_stamp(struct store_box *b, struct store_rec *r, uint64_t modseq)
{
	r->modseq = modseq;
	log_put(b, r->uid, modseq);
}

void store_box_notify(struct store_box *b, const struct store_view *by)
{
	LIST_FOREACH_SAFE (it, &b->views) {
		struct store_view *v = LIST_ITEM(it, struct store_view, node);
		if (v != by && v->watch)
			v->watch(v->watch_arg);
	}
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

void store_box_remove(struct store_box *b, struct store_rec *r, uint64_t modseq)
{
	store_box_stamp(b, r, modseq);
	store_messages_remove(&b->messages, r);
}
