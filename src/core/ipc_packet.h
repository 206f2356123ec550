/* Private to core: one packet with its descriptors over a socket. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "core/fiber.h"
#include "core/io.h"
#include "core/ipc_wire.h"

/* A connection, and whose turn it is to wait for room in its buffer. */
struct ipc_link {
	struct io io;
	bool sending;
	struct waitq senders;
};

void ipc_link_init(struct ipc_link *l, int fd);
void ipc_link_done(struct ipc_link *l);

/* Send w's packet. The bytes are used before this suspends for the first time: w's buffer may be
 * shared. 0, -EPIPE, -ETIMEDOUT, -ECANCELED, -E2BIG. */
int may_suspend must_check ipc_link_send(struct ipc_link *l, struct ipc_writer *w,
					 int64_t deadline);

/* The next packet, in a buffer that all links share (valid until the next suspension), and its
 * descriptors, owned by the caller. Bytes, 0 at the end, or -Exxx. */
ssize_t may_suspend must_check ipc_link_receive(struct ipc_link *l, struct str *packet,
						int fds[IPC_FDS_MAX], unsigned *fd_count);

void ipc_close_fds(int *fds, unsigned n);

/* The buffer that requests and answers are encoded in; no suspension between begin and send. */
struct buf *ipc_scratch(void);
