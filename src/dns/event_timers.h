/* A heap of deadlines, for the timers of libunbound. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct event_timer {
	int64_t when;
	size_t at; /* its place in the heap + 1; 0: in none */
};

struct event_timers {
	struct event_timer **heap;
	size_t count, cap;
};

void event_timers_done(struct event_timers *t);

/* `timer` is in none. */
void event_timers_add(struct event_timers *t, struct event_timer *timer, int64_t when);
void event_timers_remove(struct event_timers *t, struct event_timer *timer); /* if it is in */

/* The earliest deadline, LOOP_FOREVER when there is none. */
int64_t event_timers_next(const struct event_timers *t);

/* Take out one whose time has come; NULL when there is none. */
struct event_timer *event_timers_take(struct event_timers *t, int64_t now);
