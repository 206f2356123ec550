#include "imap/notify.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "core/fiber.h"
#include "imap/box.h"
#include "imap/notify_args.h"
#include "imap/session_state.h"
#include "imap/status_items.h"
#include "imap/view.h"
#include "imap/write.h"

#define PENDING_MAX  1000
#define RESPONSE_MAX 40000

/* Something that happened since the client was told last. */
struct pending {
	struct list node;
	enum store_watch_kind kind;
	struct str box, old;
};

/* Where a mailbox stood when the client was told of it. */
struct told {
	uint32_t uidnext, messages;
	uint64_t modseq;
};

struct imap_notify {
	struct store_watcher watcher;
	struct fiber *fiber;
	struct arena arena; /* for as long as it lasts */
	struct imap_notify_group *groups;
	size_t n;
	const struct imap_notify_group *selected; /* or NULL */
	struct map told;

	struct arena memory; /* of what is pending */
	struct list pending;
	struct map dirty; /* mailboxes whose messages are */
	size_t npending;
	bool overflow;
};

static void note(struct store_watcher *w, enum store_watch_kind kind, struct str box,
		 struct str old)
{
	struct imap_notify *n = CONTAINER_OF(w, struct imap_notify, watcher);

	fiber_interrupt(n->fiber);
	if (n->overflow || (kind == STORE_WATCH_MESSAGES && map_get(&n->dirty, box)))
		return;
	if (++n->npending > PENDING_MAX) {
		n->overflow = true;
		return;
	}
	struct pending *p = ARENA_NEW(&n->memory, struct pending);
	p->kind = kind;
	p->box = arena_str(&n->memory, box);
	p->old = arena_str(&n->memory, old);
	list_append(&n->pending, &p->node);
	if (kind == STORE_WATCH_MESSAGES)
		map_put(&n->dirty, p->box, p);
}

static void copy_groups(struct imap_notify *n, const struct imap_notify_args *args)
{
	struct arena *a = &n->arena;

	n->groups = ARENA_NEW_ARRAY(a, struct imap_notify_group, args->n);
	n->n = args->n;
	for (size_t i = 0; i < args->n; i++) {
		struct imap_notify_group *g = &n->groups[i];
		*g = args->groups[i];
		g->fetch = arena_str(a, g->fetch);
		g->names = ARENA_NEW_ARRAY(a, struct str, g->n);
		for (size_t k = 0; k < g->n; k++)
			g->names[k] = arena_str(a, args->groups[i].names[k]);
		if (g->filter <= IMAP_NOTIFY_SELECTED_DELAYED)
			n->selected = g;
	}
}

static bool is_named(const struct imap_notify_group *g, struct str box)
{
	for (size_t i = 0; i < g->n; i++) {
		struct str name = g->names[i];
		bool below = g->filter == IMAP_NOTIFY_SUBTREE && str_starts(box, name) &&
			     box.n > name.n && box.p[name.n] == '.';
		if (below || str_eq(box, name))
			return true;
	}
	return false;
}

static bool is_subscribed(struct imap_session *s, struct str box)
{
	struct store_box_list boxes;
	struct err err;

	if (store_box_list(s->store, &s->arena, &boxes, &err) < 0)
		return false;
	for (size_t i = 0; i < boxes.n; i++)
		if (str_eq(boxes.v[i].name, box))
			return boxes.v[i].attrs & STORE_BOX_SUBSCRIBED;
	return false;
}

/* RFC 5465 6: the first group that a mailbox belongs to says what is told of it. */
static unsigned events_of(struct imap_session *s, struct str box)
{
	const struct imap_notify *n = s->notify;

	for (size_t i = 0; i < n->n; i++) {
		const struct imap_notify_group *g = &n->groups[i];
		switch (g->filter) {
		case IMAP_NOTIFY_SELECTED:
		case IMAP_NOTIFY_SELECTED_DELAYED:
			continue;
		/* Filters deliver anywhere. */
		case IMAP_NOTIFY_INBOXES:
		case IMAP_NOTIFY_PERSONAL:
			return g->events;
		case IMAP_NOTIFY_SUBSCRIBED:
			if (is_subscribed(s, box))
				return g->events;
			continue;
		default:
			if (is_named(g, box))
				return g->events;
		}
	}
	return 0;
}

static bool is_selected(const struct imap_session *s, struct str box)
{
	return s->view && s->view_store == s->store && str_eq(store_view_name(s->view), box);
}

/* Remember where it stands. False when nothing has happened that the client wants to know. */
static bool has_news(struct imap_session *s, struct str box, unsigned events,
		     const struct store_status *st)
{
	struct imap_notify *n = s->notify;
	struct told *t = map_get(&n->told, box), before;

	if (!t) {
		t = ARENA_NEW(&n->arena, struct told);
		map_put(&n->told, arena_str(&n->arena, box), t);
	}
	before = *t;
	*t = (struct told){ st->uidnext, st->messages, st->modseq };
	if (before.uidnext == 0)
		return true;
	return ((events & IMAP_NOTIFY_NEW) && before.uidnext != st->uidnext) ||
	       ((events & IMAP_NOTIFY_EXPUNGE) && before.messages != st->messages) ||
	       ((events & IMAP_NOTIFY_FLAGS) && before.modseq != st->modseq);
}

static void may_suspend tell_status(struct imap_session *s, struct str box, unsigned events)
{
	unsigned items = IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT | IMAP_STATUS_UIDVALIDITY;
	struct store_status st;
	struct err err;

	if (!(events & IMAP_NOTIFY_MESSAGES) || is_selected(s, box) ||
	    store_box_status(s->store, box, &st, &err) < 0 || !has_news(s, box, events, &st))
		return;
	if (events & IMAP_NOTIFY_FLAGS)
		items |= IMAP_STATUS_UNSEEN;
	if (s->enabled & IMAP_ENABLED_CONDSTORE)
		items |= IMAP_STATUS_HIGHESTMODSEQ;
	/* A mailbox that disappears meanwhile has none. */
	struct imap_box own = { .store = s->store, .name = box };
	(void)!imap_status_write(s, &own, box, items, &err);
}

/* RFC 5465 5.4, 5.5 */
static void may_suspend tell_list(struct imap_session *s, const struct pending *p)
{
	bool utf8 = imap_speaks_utf8(s);
	const char *attrs = "";
	struct buf b;

	if (p->kind == STORE_WATCH_DELETED)
		attrs = "\\NonExistent";
	else if (p->kind == STORE_WATCH_SUBSCRIBED)
		attrs = "\\Subscribed";
	buf_init(&b, &s->arena, RESPONSE_MAX);
	buf_printf(&b, "* LIST (%s) \".\" ", attrs);
	imap_write_mailbox(&b, p->box, utf8);
	if (p->kind == STORE_WATCH_RENAMED) {
		buf_puts(&b, " (\"OLDNAME\" (");
		imap_write_mailbox(&b, p->old, utf8);
		buf_puts(&b, "))");
	}
	buf_puts(&b, "\r\n");
	imap_send(s, &b);
}

static void may_suspend tell_one(struct imap_session *s, const struct pending *p)
{
	unsigned events = events_of(s, p->box), wanted = IMAP_NOTIFY_NAME;

	if (p->kind == STORE_WATCH_MESSAGES) {
		tell_status(s, p->box, events);
		return;
	}
	if (p->kind == STORE_WATCH_SUBSCRIBED || p->kind == STORE_WATCH_UNSUBSCRIBED)
		wanted = IMAP_NOTIFY_SUBSCRIPTION;
	if (p->kind == STORE_WATCH_RENAMED)
		events |= events_of(s, p->old);
	if (events & wanted)
		tell_list(s, p);
}

/* RFC 5465 5.2, 6.1, 6.2: expunges at once, or when a command allows them. */
static int may_suspend tell_selected(struct imap_session *s)
{
	const struct imap_notify_group *g = s->notify->selected;
	uint32_t count = store_view_count(s->view);
	uint32_t last = count ? store_view_uid(s->view, count) : 0;

	int r = imap_view_sync(
		s, g->filter == IMAP_NOTIFY_SELECTED_DELAYED ? STORE_SYNC_KEEP_EXPUNGED : 0);
	if (r < 0 || s->ended || !g->fetch.n)
		return r;
	uint32_t first = store_view_seq_from(s->view, last + 1);
	return first <= store_view_count(s->view) ? imap_fetch_new(s, g->fetch, first) : 0;
}

static int may_suspend give_up(struct imap_session *s)
{
	imap_notify_end(s);
	stream_puts(s->stream, "* OK [NOTIFICATIONOVERFLOW] Too much has happened.\r\n");
	return stream_error(s->stream);
}

int imap_notify_tell(struct imap_session *s)
{
	struct imap_notify *n = s->notify;
	struct list *it;

	if (!n)
		return 0;
	s->uid = false;
	if (n->overflow)
		return give_up(s);
	/* More may happen while this is written. */
	struct arena memory = n->memory;
	struct list pending;
	list_init(&pending);
	while ((it = list_shift(&n->pending)))
		list_append(&pending, it);
	n->memory = ARENA_INIT;
	n->npending = 0;
	map_done(&n->dirty);
	map_init(&n->dirty);
	while ((it = list_shift(&pending)))
		tell_one(s, LIST_ITEM(it, struct pending, node));
	arena_done(&memory);
	if (s->view && n->selected && n->selected->events)
		return tell_selected(s);
	return stream_error(s->stream);
}

static void wake(void *fiber)
{
	fiber_interrupt(fiber);
}

void imap_notify_watch(struct imap_session *s)
{
	struct imap_notify *n = s->notify;

	if (n && s->view && n->selected && n->selected->events)
		store_view_watch(s->view, wake, n->fiber);
}

/* RFC 5465 3.1: STATUS for each mailbox whose messages are watched. */
static int may_suspend tell_all_statuses(struct imap_session *s)
{
	struct store_box_list boxes;
	struct err err;
	int r = 0;

	if (store_box_list(s->store, &s->arena, &boxes, &err) < 0)
		return 0;
	for (size_t i = 0; i < boxes.n && r == 0; i++) {
		if (boxes.v[i].attrs & STORE_BOX_EXISTS)
			tell_status(s, boxes.v[i].name, events_of(s, boxes.v[i].name));
		r = imap_work(s, 1);
	}
	return r;
}

int imap_notify_begin(struct imap_session *s, const struct imap_notify_args *args)
{
	struct imap_notify *n = calloc(1, sizeof(*n));

	if (!n)
		check_no_memory();
	imap_notify_end(s);
	n->fiber = fiber_self();
	list_init(&n->pending);
	map_init(&n->told);
	map_init(&n->dirty);
	copy_groups(n, args);
	store_watcher_add(s->store, &n->watcher, note);
	s->notify = n;
	return args->status ? tell_all_statuses(s) : 0;
}

void imap_notify_end(struct imap_session *s)
{
	struct imap_notify *n = s->notify;

	if (!n)
		return;
	if (s->view)
		store_view_watch(s->view, NULL, NULL);
	store_watcher_remove(&n->watcher);
	map_done(&n->told);
	map_done(&n->dirty);
	arena_done(&n->memory);
	arena_done(&n->arena);
	free(n);
	s->notify = NULL;
}
