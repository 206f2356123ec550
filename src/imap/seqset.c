#include "imap/seqset.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"

static int parse_number(struct str s, uint32_t *out)
{
	uint64_t v;

	if (str_eq(s, STR("*"))) {
		*out = IMAP_SEQSET_STAR;
		return 0;
	}
	/* The largest value is taken by "*"; no mailbox gets there. */
	if (str_to_u64(s, UINT32_MAX, &v) < 0 || v == 0)
		return -EINVAL;
	*out = v == UINT32_MAX ? UINT32_MAX - 1 : (uint32_t)v;
	return 0;
}

static int parse_range(struct str s, struct imap_range *out)
{
	struct str first, last;
	struct imap_range r;

	if (!str_cut(s, ':', &first, &last))
		last = first;
	if (parse_number(first, &r.first) < 0 || parse_number(last, &r.last) < 0)
		return -EINVAL;
	*out = r;
	return 0;
}

int imap_seqset_parse(struct str s, struct arena *a, size_t max_ranges, struct imap_seqset *out)
{
	size_t count = 1;
	for (size_t i = 0; i < s.n; i++)
		count += s.p[i] == ',';
	if (count > max_ranges)
		return -E2BIG;

	struct imap_seqset set = { .ranges = ARENA_NEW_ARRAY(a, struct imap_range, count) };
	struct str rest = s;
	while (set.count < count) {
		struct str item;
		str_cut(rest, ',', &item, &rest);
		if (parse_range(item, &set.ranges[set.count]) < 0)
			return -EINVAL;
		set.count++;
	}
	*out = set;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

void imap_seqset_resolve(struct imap_seqset *set, uint32_t largest)
{
	size_t n = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct imap_range r = set->ranges[i];
		if (r.first == IMAP_SEQSET_STAR)
			r.first = largest;
		if (r.last == IMAP_SEQSET_STAR)
			r.last = largest;
		if (r.first == 0 || r.last == 0)
			continue;
		if (r.first > r.last)
			r = (struct imap_range){ r.last, r.first };
		set->ranges[n++] = r;
	}
	set->count = n;
	if (n == 0)
		return;

	qsort(set->ranges, n, sizeof(set->ranges[0]), by_first);
	size_t kept = 0;
	for (size_t i = 1; i < n; i++) {
		struct imap_range *last = &set->ranges[kept];
		struct imap_range r = set->ranges[i];
		if (r.first - 1 <= last->last) {
			if (r.last > last->last)
				last->last = r.last;
		} else {
			set->ranges[++kept] = r;
		}
	}
	set->count = kept + 1;
}

bool imap_seqset_contains(const struct imap_seqset *set, uint32_t n)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (set->ranges[mid].last < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->count && set->ranges[low].first <= n;
}

static void put_range(struct imap_seqset_writer *w)
{
	if (w->any)
		buf_putc(w->out, ',');
	w->any = true;
	buf_put_u64(w->out, w->open.first);
	if (w->open.last != w->open.first) {
		buf_putc(w->out, ':');
		buf_put_u64(w->out, w->open.last);
	}
}

void imap_seqset_add(struct imap_seqset_writer *w, uint32_t n)
{
	if (w->open.first != 0 && n == w->open.last + 1) {
		w->open.last = n;
		return;
	}
	imap_seqset_finish(w);
	w->open = (struct imap_range){ n, n };
}

void imap_seqset_finish(struct imap_seqset_writer *w)
{
	if (w->open.first != 0)
		put_range(w);
	w->open = (struct imap_range){ 0, 0 };
}
