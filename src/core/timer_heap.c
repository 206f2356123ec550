#include "core/scheduler.h"

#include <stdlib.h>

#include "base/check.h"

static struct timer **heap;
static size_t heap_count, heap_cap;

static void place(size_t i, struct timer *t)
{
	heap[i] = t;
	t->idx = i;
}

static void sift_up(size_t i, struct timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;
		if (heap[parent]->when <= t->when)
			break;
		place(i, heap[parent]);
		i = parent;
	}
	place(i, t);
}

static void sift_down(size_t i, struct timer *t)
{
	for (;;) {
		size_t child = i * 2 + 1;
		if (child >= heap_count)
			break;
		if (child + 1 < heap_count && heap[child + 1]->when < heap[child]->when)
			child++;
		if (t->when <= heap[child]->when)
			break;
		place(i, heap[child]);
		i = child;
	}
	place(i, t);
}

void timer_heap_add(struct timer *t)
{
	check(t->idx == TIMER_UNSET);
	if (heap_count == heap_cap) {
		heap_cap = heap_cap ? heap_cap * 2 : 64;
		heap = realloc(heap, heap_cap * sizeof(*heap));
		if (!heap)
			check_no_memory();
	}
	sift_up(heap_count++, t);
}

void timer_heap_remove(struct timer *t)
{
	if (t->idx == TIMER_UNSET)
		return;

	size_t i = t->idx;
	struct timer *last = heap[--heap_count];
	t->idx = TIMER_UNSET;
	if (last == t)
		return;
	if (i > 0 && last->when < heap[(i - 1) / 2]->when)
		sift_up(i, last);
	else
		sift_down(i, last);
}

struct timer *timer_heap_first(void)
{
	return heap_count ? heap[0] : NULL;
}

void timer_heap_done(void)
{
	check(heap_count == 0);
	free(heap);
	heap = NULL;
	heap_cap = 0;
}
