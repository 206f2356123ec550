/* What was expunged, for clients that come back (RFC 7162). */
#include <stdlib.h>

#include "store/view.h"

static int range_cmp(const void *x, const void *y)
{
	const struct store_uid_range *a = x, *b = y;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* Append what of [first, last] the view does not count. */
static void put_without(const struct store_view *v, struct store_uid_range r, struct arena *a,
			struct store_uids *out)
{
	uint32_t seq = store_view_seq_from(v, r.first);

	for (; seq <= store_view_count(v) && store_view_uid(v, seq) <= r.last; seq++) {
		uint32_t uid = store_view_uid(v, seq);
		if (uid > r.first)
			store_uids_add_range(a, out, r.first, uid - 1);
		r.first = uid + 1;
	}
	if (r.first <= r.last)
		store_uids_add_range(a, out, r.first, r.last);
}

static void put_history(const struct store_view *v, uint64_t since, struct arena *a,
			struct store_uids *out)
{
	const struct store_box *b = v->box;
	size_t from = b->ngone, n = 0;

	while (from > 0 && b->gone[from - 1].modseq > since)
		from--;
	struct store_uid_range *sorted =
		ARENA_NEW_ARRAY(a, struct store_uid_range, b->ngone - from);
	for (size_t i = from; i < b->ngone; i++)
		sorted[n++] = (struct store_uid_range){ b->gone[i].first, b->gone[i].last };
	if (n)
		qsort(sorted, n, sizeof(*sorted), range_cmp);

	uint32_t done = 0; /* ranges never overlap, but damage must not make them rise wrongly */
	for (size_t i = 0; i < n; i++) {
		if (sorted[i].first <= done)
			sorted[i].first = done + 1;
		if (sorted[i].first > sorted[i].last)
			continue;
		put_without(v, sorted[i], a, out);
		done = sorted[i].last;
	}
}

void store_view_vanished(const struct store_view *v, uint64_t since, struct arena *a,
			 struct store_uids *out)
{
	const struct store_box *b = v->box;

	*out = (struct store_uids){ 0 };
	if (since < b->gone_from && b->uidnext > 1)
		put_without(v, (struct store_uid_range){ 1, b->uidnext - 1 }, a, out);
	else if (since >= b->gone_from)
		put_history(v, since, a, out);
}
