#include "store/view.h"

#include <errno.h>
#include <stdlib.h>

/* Append the messages that are newer than the last one known. */
static bool take_new(struct store_view *v)
{
	const struct store_messages *m = &v->box->messages;
	uint32_t before = v->n;
	uint32_t from = v->n ? store_messages_from_uid(m, v->uids[v->n - 1] + 1) : 0;

	if (m->n - from > v->cap - v->n) {
		uint32_t cap = v->n + (m->n - from) + (m->n - from) / 8 + 16;
		uint32_t *uids = realloc(v->uids, cap * sizeof(*uids));
		if (!uids)
			check_no_memory();
		v->uids = uids;
		v->cap = cap;
	}
	for (uint32_t i = from; i < m->n; i++)
		if (!(m->v[i].state & STORE_REC_GONE))
			v->uids[v->n++] = m->v[i].uid;
	return v->n != before;
}

struct store_view *store_view_new(struct store_box *b, unsigned mode)
{
	struct store_view *v = calloc(1, sizeof(*v));
	if (!v)
		check_no_memory();
	v->box = b;
	v->mode = mode;
	v->told_flags = v->told_expunged = b->modseq;
	v->told_keywords = b->keywords_gen;
	list_append(&b->views, &v->node);
	(void)take_new(v);
	return v;
}

void store_view_free(struct store_view *v)
{
	list_remove(&v->node);
	arena_done(&v->arena);
	box_uids_done(&v->late);
	free(v->uids);
	free(v);
}

uint32_t store_view_count(const struct store_view *v)
{
	return v->n;
}

struct store_note *store_view_note(struct store_view *v)
{
	return &v->box->note;
}

uint32_t store_view_uid(const struct store_view *v, uint32_t seq)
{
	check(seq >= 1 && seq <= v->n);
	return v->uids[seq - 1];
}

uint32_t store_view_seq_from(const struct store_view *v, uint32_t uid)
{
	uint32_t low = 0, high = v->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (v->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low + 1;
}

uint32_t store_view_seq(const struct store_view *v, uint32_t uid)
{
	uint32_t seq = store_view_seq_from(v, uid);
	return seq <= v->n && v->uids[seq - 1] == uid ? seq : 0;
}

/* Neighbours in the view are mostly neighbours in the box: try the record after the last one. */
struct store_rec *store_view_rec(struct store_view *v, uint32_t seq)
{
	const struct store_messages *m = &v->box->messages;
	uint32_t uid = store_view_uid(v, seq);
	if (v->hint + 1 < m->n && m->v[v->hint + 1].uid == uid)
		v->hint++;
	return store_messages_by_uid_near(m, uid, &v->hint);
}

uint32_t store_view_first_unseen(const struct store_view *v)
{
	const struct store_messages *m = &v->box->messages;
	uint32_t hint = 0;
	if (m->unseen == 0)
		return 0;
	for (uint32_t i = 0; i < v->n; i++, hint++) {
		struct store_rec *r = store_messages_by_uid_near(m, v->uids[i], &hint);
		if (r && !(r->flags & STORE_SEEN))
			return i + 1;
	}
	return 0;
}

int store_view_message(struct store_view *v, uint32_t seq, struct store_message *out)
{
	struct store_rec *r = store_view_rec(v, seq);
	if (!r)
		return -ENOENT;
	*out = (struct store_message){
		.uid = r->uid,
		.flags = r->flags,
		.keywords = r->keywords,
		.modseq = r->modseq,
		.size = r->size,
		.wire_size = store_rec_wire_size(r),
		.date = r->date,
		.guid = store_rec_name(&v->box->messages, r),
	};
	if (v->nrecent && store_uids_has(&v->recent, r->uid))
		out->flags |= STORE_RECENT;
	return 0;
}

void store_view_status(struct store_view *v, struct store_status *out)
{
	const struct store_box *b = v->box;
	*out = (struct store_status){
		.messages = v->n,
		.recent = v->nrecent,
		.unseen = b->messages.unseen,
		.deleted = b->messages.deleted,
		.uidnext = b->uidnext,
		.uidvalidity = b->uidvalidity,
		.modseq = b->modseq,
		.bytes = b->messages.bytes,
	};
	memcpy(out->guid, b->guid, sizeof(out->guid));
}

const struct str *store_view_keywords(struct store_view *v, unsigned *n)
{
	*n = v->box->keywords.n;
	return v->box->keywords.names;
}

void store_view_watch(struct store_view *v, store_watch_fn *fn, void *arg)
{
	v->watch = fn;
	v->watch_arg = arg;
}

/* A file that an earlier scan could not see may turn up below those that were told: it is recent to
 * nobody. */
static void add_recent(struct store_view *v, uint32_t uid)
{
	if (v->recent.n && v->recent.v[v->recent.n - 1].last >= uid)
		return;
	store_uids_add(&v->arena, &v->recent, uid);
	v->nrecent++;
}

void store_view_claim(struct store_view *v, struct store_rec *r)
{
	store_messages_set_recent(&v->box->messages, r, false);
	add_recent(v, r->uid);
}

void store_view_look_at_recent(struct store_view *v)
{
	const struct store_messages *m = &v->box->messages;
	uint32_t from = v->box->recent_from;

	if (m->recent == 0 || v->n == 0)
		return;
	if (v->recent.n && v->recent.v[v->recent.n - 1].last >= from)
		from = v->recent.v[v->recent.n - 1].last + 1;
	uint32_t last = v->uids[v->n - 1];
	for (uint32_t i = store_messages_from_uid(m, from); i < m->n && m->v[i].uid <= last; i++)
		if (m->v[i].state & STORE_REC_RECENT && !(m->v[i].state & STORE_REC_GONE))
			add_recent(v, m->v[i].uid);
}

void store_view_own_change(struct store_view *v, uint64_t modseq)
{
	struct view_own *latest = &v->own[(v->nown + VIEW_OWN_MAX - 1) % VIEW_OWN_MAX];

	/* A FETCH that makes messages \Seen changes one after the other. */
	if (v->nown && latest->last + 1 == modseq)
		latest->last = modseq;
	else
		v->own[v->nown++ % VIEW_OWN_MAX] = (struct view_own){ modseq, modseq };
}

static bool is_own_change(const struct store_view *v, uint64_t modseq)
{
	for (unsigned i = 0; i < VIEW_OWN_MAX; i++)
		if (v->own[i].first <= modseq && modseq <= v->own[i].last)
			return true;
	return false;
}

void store_view_before_own_change(struct store_view *v, const struct store_rec *r)
{
	if (r->modseq > v->told_flags && !is_own_change(v, r->modseq))
		box_uids_put(&v->late, r->uid);
}

bool store_view_has_news(const struct store_view *v)
{
	const struct store_box *b = v->box;
	return b->stale || v->told_flags < b->modseq || v->told_expunged < b->modseq ||
	       v->told_keywords != b->keywords_gen || v->told_recent != v->nrecent;
}

static int uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* UIDs that may have changed since, rising and each once: from the log, or all of the view when
 * the log begins later. */
static uint32_t *candidates(struct store_view *v, uint64_t since, struct arena *a, size_t *n)
{
	const struct store_box *b = v->box;
	*n = v->n;
	if (since < b->log_from)
		return v->uids;

	size_t first = b->nlog;
	while (first > 0 && b->log[first - 1].modseq > since)
		first--;
	size_t total = b->nlog - first, used = 0;
	uint32_t *uids = ARENA_NEW_ARRAY(a, uint32_t, total);
	for (size_t i = 0; i < total; i++)
		uids[i] = b->log[first + i].uid;
	qsort(uids, total, sizeof(*uids), uid_cmp);
	for (size_t i = 0; i < total; i++)
		if (used == 0 || uids[used - 1] != uids[i])
			uids[used++] = uids[i];
	*n = used;
	return uids;
}

/* Drop the sequence numbers of the first n events from the map. They are rising here. */
static void forget_expunged(struct store_view *v, const struct store_event *gone, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t from = gone[i].seq; /* index of the message after the gone one */
		uint32_t to = i + 1 < n ? gone[i + 1].seq - 1 : v->n;
		memmove(v->uids + from - 1 - i, v->uids + from, (to - from) * sizeof(*v->uids));
		if (store_uids_has(&v->recent, gone[i].uid))
			v->nrecent--;
	}
	v->n -= (uint32_t)n;
}

static void reverse(struct store_event *e, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct store_event t = e[i];
		e[i] = e[n - 1 - i];
		e[n - 1 - i] = t;
	}
}

static size_t find_expunged(struct store_view *v, const uint32_t *uids, size_t n,
			    struct store_event *out)
{
	size_t found = 0;
	uint32_t hint = 0;
	for (size_t i = 0; i < n; i++, hint++) {
		uint32_t seq = uids == v->uids ? (uint32_t)i + 1 : store_view_seq(v, uids[i]);
		if (seq && !store_messages_by_uid_near(&v->box->messages, uids[i], &hint))
			out[found++] = (struct store_event){ STORE_EVENT_EXPUNGED, seq, uids[i] };
	}
	return found;
}

static bool is_late(const struct store_view *v, uint32_t uid)
{
	return v->late.n && bsearch(&uid, v->late.v, v->late.n, sizeof(uid), uid_cmp);
}

static size_t find_changed(struct store_view *v, const uint32_t *uids, size_t n,
			   struct store_event *out)
{
	if (v->late.n)
		qsort(v->late.v, v->late.n, sizeof(*v->late.v), uid_cmp);
	size_t found = 0;
	uint32_t hint = 0;
	for (size_t i = 0; i < n; i++, hint++) {
		struct store_rec *r = store_messages_by_uid_near(&v->box->messages, uids[i], &hint);
		if (!r || r->modseq <= v->told_flags ||
		    (is_own_change(v, r->modseq) && !is_late(v, r->uid)))
			continue;
		uint32_t seq = store_view_seq(v, r->uid);
		if (seq)
			out[found++] = (struct store_event){ STORE_EVENT_FLAGS, seq, r->uid };
	}
	return found;
}

static void tell_changes(struct store_view *v, unsigned how, struct arena *a,
			 struct store_events *out)
{
	bool keep = how & STORE_SYNC_KEEP_EXPUNGED;
	uint64_t since = v->told_flags;
	if (!keep && v->told_expunged < since)
		since = v->told_expunged;

	size_t n;
	uint32_t *uids = candidates(v, since, a, &n);
	out->v = ARENA_NEW_ARRAY(a, struct store_event, 2 * n);

	if (!keep) {
		out->n = find_expunged(v, uids, n, out->v);
		forget_expunged(v, out->v, out->n);
		reverse(out->v, out->n);
		if (uids == v->uids)
			n = v->n;
		v->told_expunged = v->box->modseq;
	}
	out->n += find_changed(v, uids, n, out->v + out->n);
	box_uids_done(&v->late);
	v->told_flags = v->box->modseq;
}

void store_view_update(struct store_view *v, unsigned how, struct arena *a,
		       struct store_events *out)
{
	struct store_box *b = v->box;
	*out = (struct store_events){ 0 };
	if (v->told_flags < b->modseq || v->told_expunged < b->modseq) {
		tell_changes(v, how, a, out);
		out->exists_changed = take_new(v);
	}
	out->exists = v->n;
	out->keywords_changed = v->told_keywords != b->keywords_gen;
	v->told_keywords = b->keywords_gen;
}

struct store_walk store_walk_begin(struct store_view *v, const struct store_uids *set)
{
	return (struct store_walk){ .view = v, .set = set };
}

/* The sequence number of the view's next message that is in the set; 0 behind the last. */
static uint32_t next_in_set(struct store_walk *w)
{
	struct store_view *v = w->view;
	const struct store_uids *set = w->set;
	uint32_t seq = w->seq + 1;

	while (set && seq <= v->n) {
		uint32_t uid = v->uids[seq - 1];
		while (w->range < set->n && set->v[w->range].last < uid)
			w->range++;
		if (w->range == set->n)
			return 0;
		if (set->v[w->range].first <= uid)
			break;
		seq = store_view_seq_from(v, set->v[w->range].first);
	}
	return seq <= v->n ? seq : 0;
}

struct store_rec *store_walk_next(struct store_walk *w)
{
	uint32_t seq;

	while ((seq = next_in_set(w))) {
		w->seq = seq;
		struct store_rec *r = store_view_rec(w->view, seq);
		if (r)
			return r;
	}
	return NULL;
}
