/* The event loop of a process: one epoll instance, one clock, the queue of runnable fibers.
 *
 * There is one loop per process and it has no parameter: every function of core works on it. All
 * sessions are fibers of this loop (core/fiber.h); it runs in the thread that called loop_init. */
#pragma once

#include <stdint.h>

/* "No deadline" wherever a deadline is asked for. */
#define LOOP_FOREVER INT64_MAX

enum loop_clock {
	LOOP_CLOCK_REAL,
	LOOP_CLOCK_VIRTUAL, /* stands still while anything runs, then jumps to the next deadline */
};

void loop_init(enum loop_clock clock);

/* Every fiber has ended; releases stacks and descriptors. */
void loop_done(void);

/* Run until loop_stop was called or no fiber is left. */
void loop_run(void);
void loop_stop(void);

/* Milliseconds of a monotonic clock, taken once per turn of the loop. */
int64_t loop_now(void);

/* The time `ms` from now; LOOP_FOREVER stays LOOP_FOREVER. */
int64_t loop_deadline(int64_t ms);

/* Call `hook` from the loop, outside of fibers, soon after the signal came. One signal only; call
 * it before threads are started, which must not receive it. */
void loop_on_signal(int signo, void (*hook)(void));

/* Called at the end of each turn, before the loop may sleep: the log flushes there. */
void loop_set_turn_hook(void (*hook)(void));
