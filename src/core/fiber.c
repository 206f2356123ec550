#include "core/fiber.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fiber_switch.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/scheduler.h"

#define FIBER_MAGIC	    0x46494245u
#define FIBER_LIMIT_DEFAULT 20000

enum fiber_state {
	FIBER_READY,
	FIBER_RUNNING,
	FIBER_PARKED
};

struct fiber {
	unsigned magic;
	enum fiber_state state;
	bool cancelled;
	bool interruptible, interrupted;
	int wake_result; /* what the current park returns */
	unsigned no_suspend;
	struct list ready_link; /* in the run queue, or in a waitq */
	struct list group_link;
	struct list all_link;
	struct group *group;
	struct timer timer;
	int64_t limit; /* no wait outlasts it */
	int64_t born;
	const char *name, *why;
	void *local;
	fiber_fn *fn;
	void *arg;
	struct fiber_context *context;
};

static struct list ready = { &ready, &ready };
static struct list all = { &all, &all };
static struct fiber *current;
static void *loop_local;
static unsigned count, limit = FIBER_LIMIT_DEFAULT;

static void fiber_main(void *arg)
{
	struct fiber *f = arg;

	f->fn(f->arg);
	check(f->no_suspend == 0);
	fiber_context_leave(f->context, true);
}

int fiber_spawn(struct group *g, const char *name, fiber_fn *fn, void *arg)
{
	if (count >= limit)
		return -EAGAIN;

	struct fiber *f = calloc(1, sizeof(*f));
	if (!f)
		check_no_memory();
	*f = (struct fiber){ .magic = FIBER_MAGIC,
			     .group = g,
			     .timer = { .idx = TIMER_UNSET, .fiber = f },
			     .limit = LOOP_FOREVER,
			     .born = loop_now(),
			     .name = name,
			     .why = "start",
			     .local = fiber_local(),
			     .fn = fn,
			     .arg = arg };
	f->context = fiber_context_new(fiber_main, f);
	list_append(&ready, &f->ready_link);
	list_append(&g->fibers, &f->group_link);
	list_append(&all, &f->all_link);
	g->count++;
	count++;
	return 0;
}

void fiber_set_limit(unsigned n)
{
	limit = n;
}

unsigned fiber_count(void)
{
	return count;
}

struct fiber *fiber_self(void)
{
	return current;
}

static void fiber_end(struct fiber *f)
{
	struct group *g = f->group;

	list_remove(&f->group_link);
	list_remove(&f->all_link);
	count--;
	if (--g->count == 0)
		waitq_wake_all(&g->ended);
	fiber_context_free(f->context);
	f->magic = 0;
	free(f);
}

static void fiber_run(struct fiber *f)
{
	check(f->magic == FIBER_MAGIC && f->state == FIBER_READY);
	f->state = FIBER_RUNNING;
	current = f;
	fiber_context_enter(f->context);
	current = NULL;
	if (f->state == FIBER_RUNNING)
		fiber_end(f);
}

void fiber_run_ready(void)
{
	struct list batch;

	if (list_empty(&ready))
		return;
	batch = ready;
	batch.next->prev = batch.prev->next = &batch;
	list_init(&ready);
	for (struct list *l; (l = list_shift(&batch));)
		fiber_run(LIST_ITEM(l, struct fiber, ready_link));
}

bool fiber_any_ready(void)
{
	return !list_empty(&ready);
}

static void make_ready(struct fiber *f, int result)
{
	check(f->magic == FIBER_MAGIC);
	if (f->state != FIBER_PARKED)
		return;
	f->state = FIBER_READY;
	f->wake_result = result;
	timer_heap_remove(&f->timer);
	list_remove(&f->ready_link); /* out of the waitq it may be in */
	list_append(&ready, &f->ready_link);
}

void fiber_wake(struct fiber *f)
{
	make_ready(f, 0);
}

void fiber_cancel(struct fiber *f)
{
	f->cancelled = true;
	make_ready(f, -ECANCELED);
}

void fiber_cancel_list(struct list *fibers)
{
	LIST_FOREACH (l, fibers)
		fiber_cancel(LIST_ITEM(l, struct fiber, group_link));
}

bool fiber_is_cancelled(void)
{
	return current && current->cancelled;
}

void fiber_interrupt(struct fiber *f)
{
	f->interrupted = true;
	if (f->interruptible && f->state == FIBER_PARKED) {
		f->interrupted = false;
		make_ready(f, -EINTR);
	}
}

void fiber_interrupt_list(struct list *fibers)
{
	LIST_FOREACH (l, fibers)
		fiber_interrupt(LIST_ITEM(l, struct fiber, group_link));
}

void fiber_set_interruptible(bool on)
{
	current->interruptible = on;
}

void fiber_expire(int64_t now)
{
	for (struct timer *t; (t = timer_heap_first()) && t->when <= now;)
		make_ready(t->fiber, -ETIMEDOUT);
}

/* Park without looking at the cancellation: for those who must wait for something to finish. */
static int park(const char *why, int64_t deadline)
{
	struct fiber *f = current;

	check(f && f->no_suspend == 0);
	f->state = FIBER_PARKED;
	f->why = why;
	if (deadline != LOOP_FOREVER) {
		f->timer.when = deadline;
		timer_heap_add(&f->timer);
	}
	fiber_context_leave(f->context, false);
	return f->wake_result;
}

int fiber_park(const char *why, int64_t deadline)
{
	struct fiber *f = current;

	check(f);
	if (f->cancelled) {
		list_remove(&f->ready_link);
		return -ECANCELED;
	}
	if (f->interruptible && f->interrupted) {
		f->interrupted = false;
		list_remove(&f->ready_link);
		return -EINTR;
	}
	return park(why, deadline < f->limit ? deadline : f->limit);
}

void fiber_park_uncancelled(const char *why)
{
	(void)park(why, LOOP_FOREVER);
}

int fiber_sleep(int64_t ms)
{
	int r = fiber_park("sleep", loop_deadline(ms));
	return r == -ETIMEDOUT ? 0 : r;
}

int fiber_yield(void)
{
	struct fiber *f = current;

	check(f && f->no_suspend == 0);
	if (f->cancelled)
		return -ECANCELED;
	f->state = FIBER_READY;
	f->why = "yield";
	list_append(&ready, &f->ready_link);
	fiber_context_leave(f->context, false);
	return f->cancelled ? -ECANCELED : 0;
}

int64_t fiber_limit_begin(int64_t deadline)
{
	int64_t previous = current->limit;

	if (deadline < previous)
		current->limit = deadline;
	return previous;
}

void fiber_limit_end(int64_t previous)
{
	current->limit = previous;
}

void *fiber_local(void)
{
	return current ? current->local : loop_local;
}

void fiber_set_local(void *p)
{
	if (current)
		current->local = p;
	else
		loop_local = p;
}

void fiber_trim_stack(void)
{
	fiber_context_trim(current->context);
}

void fiber_no_suspend_enter(void)
{
	if (current)
		current->no_suspend++;
}

void fiber_no_suspend_leave(int *unused)
{
	(void)unused;
	if (current)
		current->no_suspend--;
}

void fiber_dump(void (*print)(const char *line))
{
	static const char *const states[] = { "ready", "running", "waits for" };
	int64_t now = loop_now();

	LIST_FOREACH (l, &all) {
		struct fiber *f = LIST_ITEM(l, struct fiber, all_link);
		char line[160], left[32] = "none";
		if (f->state == FIBER_PARKED && f->timer.idx != TIMER_UNSET)
			snprintf(left, sizeof(left), "%lld ms", (long long)(f->timer.when - now));
		snprintf(line, sizeof(line), "%s age=%llds %s %s deadline=%s", f->name,
			 (long long)((now - f->born) / 1000), states[f->state],
			 f->state == FIBER_PARKED ? f->why : "", left);
		print(line);
	}
}

void fiber_release_stacks(void)
{
	check(count == 0);
	fiber_context_release_all();
}

void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

int waitq_wait(struct waitq *q, const char *why, int64_t deadline)
{
	struct fiber *f = current;

	check(f);
	list_append(&q->waiters, &f->ready_link);
	return fiber_park(why, deadline);
}

void waitq_wait_uncancelled(struct waitq *q, const char *why)
{
	list_append(&q->waiters, &current->ready_link);
	(void)park(why, LOOP_FOREVER);
}

void waitq_wake_one(struct waitq *q)
{
	if (!list_empty(&q->waiters))
		fiber_wake(LIST_ITEM(q->waiters.next, struct fiber, ready_link));
}

void waitq_wake_all(struct waitq *q)
{
	while (!list_empty(&q->waiters))
		waitq_wake_one(q);
}
