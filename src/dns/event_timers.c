#include "dns/event_timers.h"

#include <stdlib.h>

#include "base/check.h"
#include "core/loop.h"

static void place(struct event_timers *t, size_t i, struct event_timer *timer)
{
	t->heap[i] = timer;
	timer->at = i + 1;
}

static void sift_up(struct event_timers *t, size_t i, struct event_timer *timer)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;
		if (t->heap[parent]->when <= timer->when)
			break;
		place(t, i, t->heap[parent]);
		i = parent;
	}
	place(t, i, timer);
}

static void sift_down(struct event_timers *t, size_t i, struct event_timer *timer)
{
	for (;;) {
		size_t child = i * 2 + 1;
		if (child >= t->count)
			break;
		if (child + 1 < t->count && t->heap[child + 1]->when < t->heap[child]->when)
			child++;
		if (timer->when <= t->heap[child]->when)
			break;
		place(t, i, t->heap[child]);
		i = child;
	}
	place(t, i, timer);
}

void event_timers_done(struct event_timers *t)
{
	free(t->heap);
	*t = (struct event_timers){ 0 };
}

void event_timers_add(struct event_timers *t, struct event_timer *timer, int64_t when)
{
	check(timer->at == 0);
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->heap = reallocarray(t->heap, t->cap, sizeof(struct event_timer *));
		if (!t->heap)
			check_no_memory();
	}
	timer->when = when;
	sift_up(t, t->count++, timer);
}

void event_timers_remove(struct event_timers *t, struct event_timer *timer)
{
	if (timer->at == 0)
		return;

	size_t hole = timer->at - 1;
	struct event_timer *last = t->heap[--t->count];
	timer->at = 0;
	if (last == timer)
		return;
	sift_down(t, hole, last);
	sift_up(t, last->at - 1, last);
}

int64_t event_timers_next(const struct event_timers *t)
{
	return t->count ? t->heap[0]->when : LOOP_FOREVER;
}

struct event_timer *event_timers_take(struct event_timers *t, int64_t now)
{
	if (t->count == 0 || t->heap[0]->when > now)
		return NULL;

	struct event_timer *timer = t->heap[0];
	event_timers_remove(t, timer);
	return timer;
}
