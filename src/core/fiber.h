/* Fibers: one per session, so that protocol code reads straight down and may wait anywhere.
 *
 * A fiber runs until it waits; only then do others run. Nothing is ever preempted, so data that is
 * consistent at every wait needs no locks. A waiting fiber is never destroyed: it is cancelled, its
 * current and all later waits return -ECANCELED, and it unwinds by returning. The ten rules are in
 * core/README.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"

struct fiber;
struct group;

/* The body of a fiber. What it returns is kept for nobody: it reports what happened itself. */
typedef void fiber_fn(void *arg);

/* Start a fiber in a group; it runs when the caller next waits. `name` is a literal. 0, or -EAGAIN
 * when the limit of fibers is reached (nothing was started). */
int must_check fiber_spawn(struct group *g, const char *name, fiber_fn *fn, void *arg);

/* The most fibers that may live at once (default 20,000). */
void fiber_set_limit(unsigned limit);
unsigned fiber_count(void);

/* So many stacks of fibers that have ended are kept for others (default 64, at most 512): for
 * processes whose fibers come and go in crowds. */
void fiber_keep_stacks(unsigned n);

/* The running fiber; NULL in the loop itself. */
struct fiber *fiber_self(void);

/* Waits. Each returns 0 when woken, -ETIMEDOUT at the deadline, -ECANCELED when the fiber is
 * cancelled. A deadline never outlasts that of an enclosing fiber_limit_begin. `why` is a literal,
 * for the list of fibers that operators see. */
int may_suspend must_check fiber_park(const char *why, int64_t deadline);
int may_suspend must_check fiber_sleep(int64_t ms);

/* Let every other runnable fiber have a turn. 0 or -ECANCELED. */
int may_suspend must_check fiber_yield(void);

/* Make a parked fiber runnable; no effect on one that is not parked. */
void fiber_wake(struct fiber *f);

/* Ask a fiber to end (see above). May be called on a fiber that is running or
 * has been cancelled. */
void fiber_cancel(struct fiber *f);
bool fiber_is_cancelled(void);

/* The fiber's current or next interruptible wait returns -EINTR: news for a session that waits for
 * something else (IDLE). Sticky: none is lost between two waits. */
void fiber_interrupt(struct fiber *f);
void fiber_set_interruptible(bool on);

/* Let no wait of this fiber outlast `deadline` until fiber_limit_end; nested limits only shrink.
 * Returns the limit that was in force, to be handed to fiber_limit_end. */
int64_t fiber_limit_begin(int64_t deadline);
void fiber_limit_end(int64_t previous);

/* One pointer per fiber for its log context; a new fiber starts with its parent's. Outside fibers
 * it is one for the loop. */
void *fiber_local(void);
void fiber_set_local(void *p);

/* Give the untouched part of this fiber's stack back to the kernel: before a long wait. */
void fiber_trim_stack(void);

/* Waiting is a bug while a NO_SUSPEND_SCOPE is open: fiber_park checks. */
void fiber_no_suspend_enter(void);
void fiber_no_suspend_leave(int *unused);
#define NO_SUSPEND_SCOPE                                                                           \
	__attribute__((cleanup(fiber_no_suspend_leave), unused)) int no_suspend_ =                 \
		(fiber_no_suspend_enter(), 0)

/* Call `print` with one line for each fiber: name, state, age, wait reason, deadline. */
void fiber_dump(void (*print)(const char *line));

/* A queue of fibers that wait for one condition. The condition itself is the
 * waiter's to re-check. */
struct waitq {
	struct list waiters;
};

void waitq_init(struct waitq *q);
int may_suspend must_check waitq_wait(struct waitq *q, const char *why, int64_t deadline);
void waitq_wake_one(struct waitq *q);
void waitq_wake_all(struct waitq *q);
