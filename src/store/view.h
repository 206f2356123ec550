/* What one session knows of a mailbox. The part of views that does not depend on how mail is
 * stored. */
#pragma once

#include "base/arena.h"
#include "store/box.h"

#define VIEW_OWN_MAX 16

struct store_view {
	struct list node; /* in box->views */
	struct store_box *box;
	unsigned mode;
	uint32_t *uids; /* by sequence number - 1 */
	uint32_t n, cap;
	uint32_t hint;			    /* index of the record looked up last */
	uint64_t told_flags, told_expunged; /* modseq up to which the session knows */
	unsigned told_keywords;
	struct view_own {
		uint64_t first, last;
	} own[VIEW_OWN_MAX]; /* modseqs of the view's latest silent changes */
	unsigned nown;
	struct box_uids late; /* changed by others before this view changed them silently: untold */
	struct arena arena;   /* of `recent` */
	struct store_uids recent;
	uint32_t nrecent, told_recent;
	store_watch_fn *watch;
	void *watch_arg;
};

/* Knows everything the box knows, but has claimed nothing. */
struct store_view *store_view_new(struct store_box *b, unsigned mode);
void store_view_free(struct store_view *v);

/* Take in what changed and tell it; no I/O. */
void store_view_update(struct store_view *v, unsigned how, struct arena *a,
		       struct store_events *out);

/* The message is \Recent for this view and no other. UIDs come in rising order; one that does not
 * is recent to nobody. */
void store_view_claim(struct store_view *v, struct store_rec *r);
/* The messages that nobody has claimed are \Recent for this view too, which leaves them so. */
void store_view_look_at_recent(struct store_view *v);

/* A change by this view of which it wants no event. */
void store_view_own_change(struct store_view *v, uint64_t modseq);
/* The view is about to change the message silently. What others have changed since it was told last
 * it has to be told all the same. */
void store_view_before_own_change(struct store_view *v, const struct store_rec *r);

/* The living record behind a sequence number or UID of this view, or NULL. */
struct store_rec *store_view_rec(struct store_view *v, uint32_t seq);

/* Visit the living messages of `set` (NULL: all) that the view has, in order. */
struct store_walk {
	struct store_view *view;
	const struct store_uids *set;
	size_t range;
	uint32_t seq; /* of the message store_walk_next gave */
};
struct store_walk store_walk_begin(struct store_view *v, const struct store_uids *set);
struct store_rec *store_walk_next(struct store_walk *w);
