/* Private to core: what loop.c, fiber.c, io.c and work.c share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct fiber;
struct io;

/* A deadline in the heap; idx is its place there, SIZE_MAX when it is not in it. */
struct timer {
	int64_t when;
	size_t idx;
	struct fiber *fiber;
};

#define TIMER_UNSET SIZE_MAX

void timer_heap_add(struct timer *t);
void timer_heap_remove(struct timer *t);

/* The earliest timer, or NULL. */
struct timer *timer_heap_first(void);
void timer_heap_done(void);

/* Run every fiber that is runnable now; those that become runnable meanwhile have the next turn. */
void fiber_run_ready(void);
bool fiber_any_ready(void);

/* Wake those whose deadline has come. */
void fiber_expire(int64_t now);
void fiber_release_stacks(void);

void fiber_cancel_list(struct list *fibers);
void fiber_interrupt_list(struct list *fibers);

/* Waits that a cancellation does not end, for those who must see something finish. */
struct waitq;
void fiber_park_uncancelled(const char *why);
void waitq_wait_uncancelled(struct waitq *q, const char *why);

/* Register with the loop's epoll; events reach it as io_event. */
void loop_watch(struct io *io);
/* From now on, registered or not, also tell when there is room for output: asked for only when
 * some was missing, since the kernel reports it after every packet that a peer takes. */
void loop_watch_output(struct io *io);
void loop_unwatch(struct io *io);
void io_event(struct io *io, uint32_t events);

/* Jobs in threads (the virtual clock stands still for them), and
 * waking those who wait for the ones that ended. */
unsigned work_running(void);
void work_collect(void);

/* Let the loop watch the work pool's descriptor. */
void loop_watch_work(int fd);
