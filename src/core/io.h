/* A non-blocking descriptor that fibers can wait for. Registered with epoll once, at the first
 * wait, edge-triggered: so a caller always tries its system call first and waits only after EAGAIN.
 * At most one fiber waits for each direction. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct fiber;

struct io {
	int fd;
	bool registered;
	bool output_watched;
	bool shared;	/* a listening socket that several processes wait for */
	uint32_t ready; /* edges seen and not yet consumed by a wait */
	struct fiber *reader, *writer;
};

/* Takes the descriptor and makes it non-blocking. */
void io_init(struct io *io, int fd);
void io_init_shared(struct io *io, int fd);

/* Close. Nobody may be waiting. */
void io_done(struct io *io);

/* Stop watching and give the descriptor back, still open and non-blocking: before it is passed to
 * another process. */
int io_release(struct io *io);

/* 0, -ETIMEDOUT, -ECANCELED. */
int may_suspend must_check io_wait_readable(struct io *io, int64_t deadline);
int may_suspend must_check io_wait_writable(struct io *io, int64_t deadline);

/* Wait until there is news on either of two descriptors, or on one (b == NULL): input, the end, an
 * error and, if `output`, room for output. It may have been noticed before already, so the caller
 * tries and waits again. */
int may_suspend must_check io_wait_any(struct io *a, struct io *b, bool output, int64_t deadline);
