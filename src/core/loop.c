#include "core/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/io.h"
#include "core/scheduler.h"

#define EVENTS_PER_TURN 128
#define ROUNDS_PER_TURN 8

static enum loop_clock clock_kind;
static int epoll_fd = -1;
static int64_t now;
static bool stopping;
static void (*turn_hook)(void);

/* One signal can be listened to. It is blocked but while the loop sleeps, so none is missed. */
static volatile sig_atomic_t signalled;
static void (*signal_hook)(void);
static sigset_t sleeping_mask;

static int64_t real_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void loop_init(enum loop_clock clock)
{
	check(epoll_fd < 0);
	clock_kind = clock;
	now = clock == LOOP_CLOCK_REAL ? real_time() : 1000;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	check(epoll_fd >= 0);
	turn_hook = signal_hook = NULL;
	sigprocmask(SIG_BLOCK, NULL, &sleeping_mask);

	/* OpenSSL writes with write(2), which would raise it; every write reports EPIPE anyway. */
	signal(SIGPIPE, SIG_IGN);
}

void loop_done(void)
{
	fiber_release_stacks();
	timer_heap_done();
	close(epoll_fd);
	epoll_fd = -1;
}

int64_t loop_now(void)
{
	return now;
}

int64_t loop_deadline(int64_t ms)
{
	return ms >= LOOP_FOREVER - now ? LOOP_FOREVER : now + ms;
}

void loop_set_turn_hook(void (*hook)(void))
{
	turn_hook = hook;
}

static void note_signal(int signo)
{
	(void)signo;
	signalled = 1;
}

void loop_on_signal(int signo, void (*hook)(void))
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, &sleeping_mask);
	sigdelset(&sleeping_mask, signo);
	signal_hook = hook;
	sigaction(signo, &action, NULL);
}

void loop_stop(void)
{
	stopping = true;
}

void loop_watch(struct io *io)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = io };

	if (io->shared)
		ev.events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE;
	check(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, io->fd, &ev) == 0);
}

void loop_watch_output(struct io *io)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				  .data.ptr = io };

	int op = io->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	check(epoll_ctl(epoll_fd, op, io->fd, &ev) == 0);
}

void loop_unwatch(struct io *io)
{
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->registered = io->output_watched = false;
	io->ready = 0;
}

void loop_watch_work(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	check(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0);
}

/* How long the kernel may let us sleep: 0 when somebody can run, -1 without any deadline. */
static int poll_timeout(void)
{
	struct timer *first = timer_heap_first();

	if (fiber_any_ready())
		return 0;
	if (clock_kind == LOOP_CLOCK_VIRTUAL)
		return work_running() || !first ? -1 : 0;
	if (!first)
		return -1;
	int64_t left = first->when - now;
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int poll_events(int timeout)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_pwait(epoll_fd, events, EVENTS_PER_TURN, timeout,
			    signal_hook ? &sleeping_mask : NULL);

	check(n >= 0 || errno == EINTR);
	if (signalled) {
		signalled = 0;
		signal_hook();
	}
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			io_event(events[i].data.ptr, events[i].events);
		else
			work_collect();
	}
	return n;
}

static void advance_clock(bool quiet)
{
	struct timer *first = timer_heap_first();

	if (clock_kind == LOOP_CLOCK_REAL)
		now = real_time();
	else if (quiet && first && !fiber_any_ready() && first->when > now)
		now = first->when;
}

/* Those that one fiber makes runnable run before the kernel is asked again, but not for ever. */
static void run_fibers(void)
{
	for (int i = 0; i < ROUNDS_PER_TURN && fiber_any_ready(); i++)
		fiber_run_ready();
}

void loop_run(void)
{
	check(!fiber_self());
	stopping = false;
	while (!stopping && fiber_count() > 0) {
		run_fibers();
		if (turn_hook)
			turn_hook();
		if (fiber_count() == 0)
			break;
		bool quiet = poll_events(poll_timeout()) <= 0;
		advance_clock(quiet);
		fiber_expire(now);
	}
}
