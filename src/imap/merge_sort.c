#include "imap/merge_sort.h"

#include <string.h>

#include "imap/progress.h"
#include "imap/session_state.h"

#define NUMBERS_PER_UNIT 2048

struct order {
	imap_order_fn *fn;
	const void *ctx;
};

/* Merge the runs [0, mid) and [mid, n) of `from` into `to`. */
static void merge(const struct order *o, const uint32_t *from, size_t mid, size_t n, uint32_t *to)
{
	size_t a = 0, b = mid;

	if (mid == n || o->fn(o->ctx, from[mid - 1], from[mid]) <= 0) {
		memcpy(to, from, n * sizeof(*to));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool left = a < mid && (b == n || o->fn(o->ctx, from[a], from[b]) <= 0);
		to[i] = left ? from[a++] : from[b++];
	}
}

int imap_merge_sort(struct imap_progress *p, uint32_t *v, size_t n, imap_order_fn *order,
		    const void *ctx)
{
	uint32_t *from = v, *to = ARENA_NEW_ARRAY(&p->s->arena, uint32_t, n);
	struct order o = { order, ctx };
	size_t since = 0;

	for (size_t width = 1; width < n; width *= 2) {
		for (size_t at = 0; at < n; at += 2 * width) {
			size_t size = n - at < 2 * width ? n - at : 2 * width;
			merge(&o, from + at, size < width ? size : width, size, to + at);
			since += size;
			int r = imap_progress_work(p, since / NUMBERS_PER_UNIT, p->goal);
			if (r < 0)
				return r;
			since %= NUMBERS_PER_UNIT;
		}
		uint32_t *swap = from;
		from = to;
		to = swap;
	}
	if (from != v && n)
		memcpy(v, from, n * sizeof(*v));
	return 0;
}
