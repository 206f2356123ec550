#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/scheduler.h"

#define IO_READ	 (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define IO_WRITE (EPOLLOUT | EPOLLHUP | EPOLLERR)

void io_init(struct io *io, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	*io = (struct io){ .fd = fd };
	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void io_init_shared(struct io *io, int fd)
{
	io_init(io, fd);
	io->shared = true;
}

int io_release(struct io *io)
{
	int fd = io->fd;

	check(!io->reader && !io->writer);
	if (io->registered)
		loop_unwatch(io);
	io->fd = -1;
	return fd;
}

void io_done(struct io *io)
{
	if (io->fd < 0)
		return;
	/* The kernel forgets a registration with the last copy of the descriptor; another
	 * process may hold one. */
	close(io_release(io));
}

void io_event(struct io *io, uint32_t events)
{
	io->ready |= events;
	if (io->reader && events & IO_READ)
		fiber_wake(io->reader);
	if (io->writer && events & IO_WRITE)
		fiber_wake(io->writer);
}

static void watch(struct io *io)
{
	if (io->registered)
		return;
	loop_watch(io);
	io->registered = true;
}

static void watch_output(struct io *io)
{
	if (io->output_watched)
		return;
	loop_watch_output(io);
	io->registered = io->output_watched = true;
}

/* An edge that came since the caller's EAGAIN is consumed instead of waited for. */
static bool take_edge(struct io *io, uint32_t mask)
{
	bool seen = io->ready & mask;

	io->ready &= ~mask | EPOLLHUP | EPOLLERR;
	return seen;
}

int io_wait_readable(struct io *io, int64_t deadline)
{
	watch(io);
	if (take_edge(io, IO_READ))
		return 0;

	check(!io->reader);
	io->reader = fiber_self();
	int r = fiber_park("input", deadline);
	io->reader = NULL;
	take_edge(io, IO_READ);
	return r;
}

int io_wait_writable(struct io *io, int64_t deadline)
{
	watch_output(io);
	if (take_edge(io, IO_WRITE))
		return 0;

	check(!io->writer);
	io->writer = fiber_self();
	int r = fiber_park("output", deadline);
	io->writer = NULL;
	take_edge(io, IO_WRITE);
	return r;
}

/* 1 when there was news already, else 0 and this fiber waits for it. */
static bool begin_wait(struct io *io, bool output)
{
	if (!io)
		return false;
	if (output)
		watch_output(io);
	else
		watch(io);
	if (take_edge(io, IO_READ | (output ? IO_WRITE : 0)))
		return true;
	check(!io->reader && !io->writer);
	io->reader = fiber_self();
	io->writer = output ? fiber_self() : NULL;
	return false;
}

static void end_wait(struct io *io, bool output)
{
	if (!io)
		return;
	io->reader = io->writer = NULL;
	take_edge(io, IO_READ | (output ? IO_WRITE : 0));
}

int io_wait_any(struct io *a, struct io *b, bool output, int64_t deadline)
{
	if (begin_wait(a, output))
		return 0;
	if (begin_wait(b, output)) {
		end_wait(a, output);
		return 0;
	}

	int r = fiber_park("input or output", deadline);
	end_wait(a, output);
	end_wait(b, output);
	return r;
}
