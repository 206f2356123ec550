#include "core/ipc_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"

/* The kernel keeps a packet whole only if it fits the send buffer. */
#define IPC_SOCKET_BUFFER (2 * IPC_MESSAGE_MAX)

union fd_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
};

struct buf *ipc_scratch(void)
{
	static struct buf scratch;

	if (!scratch.max)
		buf_init(&scratch, NULL, IPC_MESSAGE_MAX);
	return &scratch;
}

void ipc_link_init(struct ipc_link *l, int fd)
{
	int size = IPC_SOCKET_BUFFER;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	io_init(&l->io, fd);
	l->sending = false;
	waitq_init(&l->senders);
}

void ipc_link_done(struct ipc_link *l)
{
	io_done(&l->io);
}

void ipc_close_fds(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int try_send(struct ipc_link *l, struct str bytes, const int *fds, unsigned fd_count)
{
	union fd_control control;
	struct iovec iov = { .iov_base = (void *)bytes.p, .iov_len = bytes.n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * fd_count);
	}
	for (;;) {
		if (sendmsg(l->io.fd, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return errno == EMSGSIZE ? -E2BIG : errno == ECONNRESET ? -EPIPE : -errno;
	}
}

/* The buffer is full: one fiber waits for room, the others wait for that one. */
static int may_suspend send_when_possible(struct ipc_link *l, struct str bytes,
					  const struct ipc_writer *w, int64_t deadline)
{
	int r = 0;

	while (l->sending && r == 0)
		r = waitq_wait(&l->senders, "ipc send", deadline);
	if (r < 0)
		return r;

	l->sending = true;
	while ((r = try_send(l, bytes, w->fds, w->fd_count)) == -EAGAIN) {
		r = io_wait_writable(&l->io, deadline);
		if (r < 0)
			break;
	}
	l->sending = false;
	waitq_wake_one(&l->senders);
	return r;
}

int ipc_link_send(struct ipc_link *l, struct ipc_writer *w, int64_t deadline)
{
	struct str bytes = buf_str(w->buf);
	int r = l->sending ? -EAGAIN : try_send(l, bytes, w->fds, w->fd_count);

	if (r != -EAGAIN)
		return r;

	char *copy = malloc(bytes.n);
	if (!copy)
		check_no_memory();
	memcpy(copy, bytes.p, bytes.n);
	r = send_when_possible(l, str_of(copy, bytes.n), w, deadline);
	free(copy);
	return r;
}

static unsigned take_fds(struct msghdr *msg, int fds[IPC_FDS_MAX])
{
	unsigned n = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(h), n * sizeof(int));
	}
	return n;
}

ssize_t ipc_link_receive(struct ipc_link *l, struct str *packet, int fds[IPC_FDS_MAX],
			 unsigned *fd_count)
{
	static char bytes[IPC_MESSAGE_MAX];

	for (;;) {
		union fd_control control;
		struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(l->io.fd, &msg, MSG_CMSG_CLOEXEC);
		if (n >= 0) {
			*fd_count = take_fds(&msg, fds);
			*packet = str_of(bytes, (size_t)n);
			return n;
		}
		if (errno == EAGAIN) {
			int r = io_wait_readable(&l->io, LOOP_FOREVER);
			if (r < 0)
				return r;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}
