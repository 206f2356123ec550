#include "imap/sort_recall.h"

#include <string.h>

#include "imap/answers.h"
#include "imap/search_run.h"
#include "imap/session_state.h"
#include "imap/sort.h"
#include "imap/sort_values.h"

/* Each takes some twenty comparisons, with messages that have to be looked up. */
#define NEW_MAX 64

#define GONE UINT32_MAX

/* An earlier answer beside what is found now. */
struct recall {
	struct imap_sort_source *source;
	const struct imap_found *found;
	struct imap_answer earlier;
	uint32_t *place; /* among those found now, of each message of the earlier answer, or GONE */
	uint32_t fresh[NEW_MAX];
	size_t fresh_n;
};

static struct str question(const struct imap_sort_source *t)
{
	struct buf b;

	buf_init(&b, &t->s->arena, 64);
	buf_puts(&b, "SORT");
	for (size_t i = 0; i < t->how->n; i++) {
		buf_putc(&b, t->how->rules[i].reverse ? '-' : '+');
		buf_putc(&b, (char)('a' + t->how->rules[i].key));
	}
	return buf_str(&b);
}

/* Both in rising order of their UIDs. False when too many are new. */
static bool compare(struct recall *r)
{
	const struct store_view *view = r->source->s->view;
	size_t old = 0;

	for (uint32_t i = 0; i < r->found->n; i++) {
		uint32_t uid = store_view_uid(view, r->found->v[i]);
		while (old < r->earlier.n && r->earlier.uids[old] < uid)
			r->place[old++] = GONE;
		if (old < r->earlier.n && r->earlier.uids[old] == uid)
			r->place[old++] = i;
		else if (r->fresh_n < NEW_MAX)
			r->fresh[r->fresh_n++] = i;
		else
			return false;
	}
	while (old < r->earlier.n)
		r->place[old++] = GONE;
	return true;
}

/* Where a new message belongs among n that are in order. */
static size_t position(struct recall *r, uint32_t fresh, const uint32_t *order, size_t n)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct imap_sort_value own[IMAP_SORT_RULES_MAX], other[IMAP_SORT_RULES_MAX];
	size_t low = 0, high = n;

	imap_sort_values(r->source, r->found->v[fresh], own, &scratch);
	while (low < high) {
		size_t mid = (low + high) / 2;
		arena_reset(&scratch);
		imap_sort_values(r->source, r->found->v[order[mid]], other, &scratch);
		int c = imap_sort_compare(r->source->how, own, other);
		/* RFC 5256 3: what is equal goes by sequence number. */
		if (c > 0 || (c == 0 && fresh > order[mid]))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void insert_fresh(struct recall *r, uint32_t *order, size_t n)
{
	for (size_t i = 0; i < r->fresh_n; i++, n++) {
		size_t at = position(r, r->fresh[i], order, n);
		memmove(order + at + 1, order + at, (n - at) * sizeof(*order));
		order[at] = r->fresh[i];
	}
}

bool imap_sort_recall(struct imap_sort_source *t, const struct imap_found *found, uint32_t *order)
{
	struct recall r = { .source = t, .found = found };
	size_t n = 0;

	if (!imap_answer_find(t->s, question(t), &r.earlier))
		return false;
	r.place = ARENA_NEW_ARRAY(&t->s->arena, uint32_t, r.earlier.n);
	if (!compare(&r))
		return false;
	for (size_t i = 0; i < r.earlier.n; i++) {
		uint32_t place = r.place[r.earlier.numbers[i]];
		if (place != GONE)
			order[n++] = place;
	}
	insert_fresh(&r, order, n);
	if (r.fresh_n && !t->missed)
		imap_sort_remember(t, found, order);
	return true;
}

void imap_sort_remember(struct imap_sort_source *t, const struct imap_found *found,
			const uint32_t *order)
{
	struct imap_answer answer = { imap_found_uids(t->s, found), order, found->n, STR_NONE };

	imap_answer_keep(t->s, question(t), &answer);
}
