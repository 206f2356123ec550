/* Telling sessions what happens in the mailboxes of their account that they have not opened. */

#include "store/maildir/maildir.h"
#include "store/name.h"

void store_watcher_add(struct store *s, struct store_watcher *w, store_watcher_fn *fn)
{
	w->fn = fn;
	list_append(&s->watchers, &w->node);
}

void store_watcher_remove(struct store_watcher *w)
{
	list_remove(&w->node);
}

void maildir_tell_watchers(struct store *s, enum store_watch_kind kind, struct str box,
			   struct str old)
{
	LIST_FOREACH_SAFE (it, &s->watchers) {
		struct store_watcher *w = LIST_ITEM(it, struct store_watcher, node);
		w->fn(w, kind, box, old);
	}
}

void maildir_box_changed(struct store_box *b)
{
	struct maildir_box *mb = maildir_box(b);

	if (!b->stale)
		maildir_tell_watchers(mb->store, STORE_WATCH_MESSAGES, str_from(mb->name),
				      STR_NONE);
}
