#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/ipc_packet.h"
#include "core/loop.h"

/* More calls than this from one caller wait in the socket. */
#define IPC_CALLS_MAX 4096

#define IPC_SEND_TIMEOUT 30000

struct server_connection {
	struct ipc_link link;
	struct ipc_server server;
	struct group *group;
	unsigned calls; /* in flight; the connection lives as long as any, or its reader */
	bool reading;
	struct waitq room;
};

struct server_call {
	struct server_connection *connection;
	struct ipc_header header;
	struct arena arena;
	struct str payload;
	int fds[IPC_FDS_MAX];
	unsigned fd_count;
};

static void connection_release(struct server_connection *n)
{
	if (n->reading || n->calls)
		return;
	ipc_link_done(&n->link);
	free(n);
}

/* The peer may be gone: then nobody misses the answer. */
static void may_suspend send_answer(struct server_call *call, struct ipc_writer *w, int result,
				    const struct err *err)
{
	if (result >= 0 && ipc_writer_failed(w)) {
		ipc_writer_init(w, w->buf);
		result = -E2BIG;
	} else if (result < 0) {
		ipc_writer_init(w, w->buf);
		buf_puts(w->buf, err->text);
	}
	ipc_write_header(w, &(struct ipc_header){ .sequence = call->header.sequence,
						  .result = result,
						  .method = call->header.method,
						  .kind = IPC_ANSWER });
	(void)!ipc_link_send(&call->connection->link, w, loop_deadline(IPC_SEND_TIMEOUT));
}

static void answer_call(void *arg)
{
	struct server_call *call = arg;
	struct server_connection *n = call->connection;
	const struct ipc_service *service = n->server.service;
	struct ipc_reader in;
	struct ipc_writer out;
	struct err err = { 0 };
	auto_buf struct buf answer;

	buf_init(&answer, NULL, IPC_MESSAGE_MAX);
	ipc_writer_init(&out, &answer);
	ipc_reader_init(&in, call->payload, &call->arena);
	in.fds = call->fds;
	in.fd_count = call->fd_count;
	int r = call->header.method < service->method_count
			? service->methods[call->header.method].handle(n->server.ops, n->server.ctx,
								       &in, &out, &err)
			: err_set(&err, -ENOSYS, "%s: no such call", service->name);
	struct ipc_writer given = out; /* send_answer empties it when the answer is too large */
	send_answer(call, &out, r, &err);

	ipc_close_fds(given.fds, given.fd_count);
	ipc_close_fds(call->fds, call->fd_count);
	arena_done(&call->arena);
	free(call);
	n->calls--;
	waitq_wake_one(&n->room);
	connection_release(n);
}

/* There is no fiber for the call. The connection must survive that: the caller gets no other while
 * both roles live. */
static int may_suspend refuse_call(struct server_connection *n, const struct ipc_header *request)
{
	struct ipc_writer w;

	ipc_writer_init(&w, ipc_scratch());
	buf_puts(w.buf, "too many calls at once");
	ipc_write_header(&w, &(struct ipc_header){ .sequence = request->sequence,
						   .result = -EAGAIN,
						   .method = request->method,
						   .kind = IPC_ANSWER });
	return ipc_link_send(&n->link, &w, loop_deadline(IPC_SEND_TIMEOUT));
}

static int may_suspend start_call(struct server_connection *n, struct str packet, int *fds,
				  unsigned fd_count)
{
	struct server_call *call = calloc(1, sizeof(*call));

	if (!call)
		check_no_memory();
	if (!ipc_read_header(packet, &call->header) || call->header.kind != IPC_REQUEST) {
		ipc_close_fds(fds, fd_count);
		free(call);
		return -EBADMSG;
	}
	call->connection = n;
	call->payload = arena_str(&call->arena, str_skip(packet, IPC_HEADER_SIZE));
	memcpy(call->fds, fds, sizeof(int) * fd_count);
	call->fd_count = fd_count;
	n->calls++;
	if (fiber_spawn(n->group, n->server.service->name, answer_call, call) == 0)
		return 0;

	struct ipc_header refused = call->header;
	n->calls--;
	ipc_close_fds(fds, fd_count);
	arena_done(&call->arena);
	free(call);
	return refuse_call(n, &refused);
}

static void read_calls(void *arg)
{
	struct server_connection *n = arg;
	int fds[IPC_FDS_MAX];
	unsigned fd_count;
	struct str packet;
	int r = 0;

	while (r == 0 && ipc_link_receive(&n->link, &packet, fds, &fd_count) > 0) {
		r = start_call(n, packet, fds, fd_count);
		while (r == 0 && n->calls >= IPC_CALLS_MAX)
			r = waitq_wait(&n->room, "ipc calls", LOOP_FOREVER);
	}
	if (n->server.closed)
		n->server.closed(n->server.ctx);
	n->reading = false;
	connection_release(n);
}

int ipc_serve(int fd, const struct ipc_server *s, struct group *g)
{
	struct server_connection *n = calloc(1, sizeof(*n));

	if (!n)
		check_no_memory();
	ipc_link_init(&n->link, fd);
	waitq_init(&n->room);
	n->server = *s;
	n->group = g;
	n->reading = true;
	int r = fiber_spawn(g, "ipc server", read_calls, n);
	if (r < 0) {
		ipc_link_done(&n->link);
		free(n);
	}
	return r;
}
