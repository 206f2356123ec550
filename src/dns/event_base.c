#include "dns/event_base.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include <unbound-event.h>

#include "core/fiber.h"
#include "core/io.h"
#include "core/loop.h"
#include "dns/event_timers.h"

#define BATCH 64

/* After so many batches others have a turn. */
#define BATCHES_PER_TURN 8

struct event {
	struct ub_event ub; /* first: libunbound sees this */
	struct event_base *base;
	int fd;
	short bits; /* UB_EV_* */
	void (*callback)(int fd, short bits, void *arg);
	void *arg;
	bool watched;
	struct event_timer timer;
};

struct event_base {
	struct ub_event_base ub;
	struct io io; /* of the epoll instance */
	struct event_timers timers;
	struct fiber *fiber;

	/* What epoll has reported and has not been told yet; an event that is removed
	 * meanwhile is taken out. */
	struct epoll_event batch[BATCH];
	int batch_count;
};

static struct event *event_of(struct ub_event *e)
{
	return CONTAINER_OF(e, struct event, ub);
}

static void unwatch(struct event *e)
{
	if (!e->watched)
		return;
	/* It may have been closed already; then the kernel has forgotten it. */
	(void)!epoll_ctl(e->base->io.fd, EPOLL_CTL_DEL, e->fd, NULL);
	e->watched = false;
	for (int i = 0; i < e->base->batch_count; i++)
		if (e->base->batch[i].data.ptr == e)
			e->base->batch[i].data.ptr = NULL;
}

static int watch(struct event *e)
{
	struct epoll_event want = { .data.ptr = e };

	if (e->fd < 0 || !(e->bits & (UB_EV_READ | UB_EV_WRITE)))
		return 0;
	want.events =
		(e->bits & UB_EV_READ ? EPOLLIN : 0u) | (e->bits & UB_EV_WRITE ? EPOLLOUT : 0u);
	if (epoll_ctl(e->base->io.fd, EPOLL_CTL_ADD, e->fd, &want) < 0)
		return -1;
	e->watched = true;
	return 0;
}

static void deactivate(struct event *e)
{
	unwatch(e);
	event_timers_remove(&e->base->timers, &e->timer);
}

static void set_timer(struct event *e, const struct timeval *tv)
{
	/* Rounded up, or the fiber would turn idly until it is time. */
	int64_t ms = (int64_t)tv->tv_sec * 1000 + (tv->tv_usec + 999) / 1000;

	event_timers_remove(&e->base->timers, &e->timer);
	event_timers_add(&e->base->timers, &e->timer, loop_now() + ms);
	if (e->base->fiber)
		fiber_wake(e->base->fiber); /* it may sleep for longer */
}

static int event_add(struct ub_event *ub, struct timeval *tv)
{
	struct event *e = event_of(ub);

	unwatch(e);
	if (tv)
		set_timer(e, tv);
	return watch(e);
}

static int event_del(struct ub_event *ub)
{
	deactivate(event_of(ub));
	return 0;
}

static void event_add_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits |= bits;
}

static void event_del_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits &= (short)~bits;
}

static void event_set_fd(struct ub_event *ub, int fd)
{
	event_of(ub)->fd = fd;
}

static void event_free(struct ub_event *ub)
{
	struct event *e = event_of(ub);

	deactivate(e);
	free(e);
}

static int event_add_timer(struct ub_event *ub, struct ub_event_base *base,
			   void (*callback)(int, short, void *), void *arg, struct timeval *tv)
{
	struct event *e = event_of(ub);
	(void)base;

	e->callback = callback;
	e->arg = arg;
	set_timer(e, tv);
	return 0;
}

static int event_del_timer(struct ub_event *ub)
{
	struct event *e = event_of(ub);

	event_timers_remove(&e->base->timers, &e->timer);
	return 0;
}

/* The rest of the interface is for signals and for Windows: libunbound does not call it. */
static int no_signal(struct ub_event *e, struct timeval *tv)
{
	(void)e, (void)tv;
	return -1;
}

static int no_signal_del(struct ub_event *e)
{
	(void)e;
	return -1;
}

static void no_winsock(struct ub_event *e)
{
	(void)e;
}

static void no_winsock_tcp(struct ub_event *e, int bit)
{
	(void)e, (void)bit;
}

static struct ub_event_vmt event_functions = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del_timer,
	.add_signal = no_signal,
	.del_signal = no_signal_del,
	.winsock_unregister_wsaevent = no_winsock,
	.winsock_tcp_wouldblock = no_winsock_tcp,
};

static struct ub_event *base_new_event(struct ub_event_base *ub, int fd, short bits,
				       void (*callback)(int, short, void *), void *arg)
{
	struct event *e = calloc(1, sizeof(*e));

	if (!e)
		check_no_memory();
	*e = (struct event){
		.ub = { .magic = UB_EVENT_MAGIC, .vmt = &event_functions },
		.base = CONTAINER_OF(ub, struct event_base, ub),
		.fd = fd,
		.bits = bits,
		.callback = callback,
		.arg = arg,
	};
	return &e->ub;
}

static struct ub_event *base_no_signal(struct ub_event_base *b, int fd,
				       void (*callback)(int, short, void *), void *arg)
{
	(void)b, (void)fd, (void)callback, (void)arg;
	return NULL;
}

static struct ub_event *base_no_winsock(struct ub_event_base *b, void *handle,
					void (*callback)(int, short, void *), void *arg)
{
	(void)b, (void)handle, (void)callback, (void)arg;
	return NULL;
}

static void base_not_freed(struct ub_event_base *b)
{
	(void)b;
}

static int base_not_run(struct ub_event_base *b)
{
	(void)b;
	return 0;
}

static int base_not_left(struct ub_event_base *b, struct timeval *tv)
{
	(void)b, (void)tv;
	return 0;
}

static struct ub_event_base_vmt base_functions = {
	.free = base_not_freed,
	.dispatch = base_not_run,
	.loopexit = base_not_left,
	.new_event = base_new_event,
	.new_signal = base_no_signal,
	.winsock_register_wsaevent = base_no_winsock,
};

/* An event that does not persist is over before it is told. */
static void tell(struct event *e, short bits)
{
	NO_SUSPEND_SCOPE;

	if (!(e->bits & UB_EV_PERSIST))
		deactivate(e);
	e->callback(e->fd, bits, e->arg);
}

static void tell_batch(struct event_base *b)
{
	for (int i = 0; i < b->batch_count; i++) {
		struct event *e = b->batch[i].data.ptr;
		uint32_t got = b->batch[i].events;
		short bits = 0;
		if (!e)
			continue;
		if (got & (EPOLLIN | EPOLLHUP | EPOLLERR))
			bits |= e->bits & UB_EV_READ;
		if (got & (EPOLLOUT | EPOLLHUP | EPOLLERR))
			bits |= e->bits & UB_EV_WRITE;
		b->batch[i].data.ptr = NULL;
		tell(e, bits);
	}
	b->batch_count = 0;
}

static void tell_timers(struct event_base *b)
{
	struct event_timer *t;

	while ((t = event_timers_take(&b->timers, loop_now())))
		tell(CONTAINER_OF(t, struct event, timer), UB_EV_TIMEOUT);
}

/* Until the epoll instance has nothing more: only then does it report the next event as news. */
static int may_suspend run_ready(struct event_base *b)
{
	int r = 0;

	for (unsigned turn = 1; r == 0; turn++) {
		tell_timers(b);
		b->batch_count = epoll_wait(b->io.fd, b->batch, BATCH, 0);
		if (b->batch_count <= 0) {
			b->batch_count = 0;
			return 0;
		}
		tell_batch(b);
		if (turn % BATCHES_PER_TURN == 0)
			r = fiber_yield();
	}
	return r;
}

static void driver_main(void *arg)
{
	struct event_base *b = arg;
	int r = 0;

	b->fiber = fiber_self();
	while (r != -ECANCELED) {
		r = run_ready(b);
		if (r == 0)
			r = io_wait_readable(&b->io, event_timers_next(&b->timers));
	}
	b->fiber = NULL;
}

struct event_base *event_base_new(void)
{
	struct event_base *b = calloc(1, sizeof(*b));
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (!b)
		check_no_memory();
	check(fd >= 0);
	b->ub = (struct ub_event_base){ .magic = UB_EVENT_MAGIC, .vmt = &base_functions };
	io_init(&b->io, fd);
	return b;
}

void event_base_free(struct event_base *b)
{
	check(!b->fiber);
	io_done(&b->io);
	event_timers_done(&b->timers);
	free(b);
}

struct ub_event_base *event_base_handle(struct event_base *b)
{
	return &b->ub;
}

int event_base_start(struct event_base *b, struct group *g)
{
	return fiber_spawn(g, "dns", driver_main, b);
}
