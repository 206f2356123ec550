#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/ipc_packet.h"
#include "core/loop.h"

/* A connection of a client; freed by the last fiber that uses it once it is dead. */
struct connection {
	struct ipc_link link;
	struct ipc_client *client;
	bool dead;	      /* replaced or closed: its calls have failed */
	bool reading;	      /* there is a fiber that reads the answers... */
	struct fiber *reader; /* ...and it has begun to */
	unsigned senders;
};

/* A call that waits for its answer. */
struct pending {
	struct list link;
	uint32_t sequence;
	struct fiber *fiber;
	struct ipc_reader *reader;
	struct err *err;
	int result;
	bool answered;
};

struct ipc_client {
	const char *name;
	struct group *group;
	struct connection *connection; /* NULL: none */
	struct list pending;	       /* all on the present connection */
	struct waitq unconnected;
	uint32_t sequence;
	bool closed;
};

struct ipc_client *ipc_client_new(const char *name, struct group *g)
{
	struct ipc_client *c = calloc(1, sizeof(*c));

	if (!c)
		check_no_memory();
	c->name = name;
	c->group = g;
	list_init(&c->pending);
	waitq_init(&c->unconnected);
	return c;
}

bool ipc_client_connected(const struct ipc_client *c)
{
	return c->connection != NULL;
}

static void answer(struct pending *p, int result)
{
	list_remove(&p->link);
	p->answered = true;
	p->result = result;
	fiber_wake(p->fiber);
}

/* The calls in flight will get no answer. */
static void connection_lost(struct ipc_client *c)
{
	c->connection = NULL;
	while (!list_empty(&c->pending)) {
		struct pending *p = LIST_ITEM(c->pending.next, struct pending, link);
		err_set(p->err, -EPIPE, "%s: the connection was lost", c->name);
		answer(p, -EPIPE);
	}
}

static struct pending *find_pending(struct ipc_client *c, uint32_t sequence)
{
	LIST_FOREACH (l, &c->pending) {
		struct pending *p = LIST_ITEM(l, struct pending, link);
		if (p->sequence == sequence)
			return p;
	}
	return NULL;
}

/* An answer nobody waits for any more (its caller's time was up) is dropped. */
static int take_answer(struct ipc_client *c, struct str packet, int *fds, unsigned fd_count)
{
	struct ipc_header h;

	if (!ipc_read_header(packet, &h) || h.kind != IPC_ANSWER) {
		ipc_close_fds(fds, fd_count);
		return -EBADMSG;
	}
	struct pending *p = find_pending(c, h.sequence);
	if (!p) {
		ipc_close_fds(fds, fd_count);
		return 0;
	}

	struct str payload = str_skip(packet, IPC_HEADER_SIZE);
	if (h.result < 0) {
		err_set(p->err, h.result, "%" STR_FMT, STR_ARG(payload));
		ipc_close_fds(fds, fd_count);
	} else {
		ipc_reader_init(p->reader, arena_str(p->reader->arena, payload), p->reader->arena);
		p->reader->fds = arena_alloc(p->reader->arena, sizeof(int) * IPC_FDS_MAX);
		memcpy(p->reader->fds, fds, sizeof(int) * fd_count);
		p->reader->fd_count = fd_count;
	}
	answer(p, h.result);
	return 0;
}

static void connection_release(struct connection *n)
{
	if (!n->dead || n->reading || n->senders)
		return;
	ipc_link_done(&n->link);
	free(n);
}

static void read_answers(void *arg)
{
	struct connection *n = arg;
	int fds[IPC_FDS_MAX];
	unsigned fd_count;
	struct str packet;

	n->reader = fiber_self();
	while (!n->dead && ipc_link_receive(&n->link, &packet, fds, &fd_count) > 0)
		if (n->dead || take_answer(n->client, packet, fds, fd_count) < 0)
			break;
	if (!n->dead)
		connection_lost(n->client);
	n->dead = true;
	n->reading = false;
	n->reader = NULL;
	connection_release(n);
}

/* Fails when the limit of fibers is reached; the next call tries again. */
static int start_reading(struct connection *n)
{
	if (n->reading)
		return 0;
	n->reading = true;
	int r = fiber_spawn(n->client->group, "ipc client", read_answers, n);
	n->reading = r == 0;
	return r;
}

void ipc_client_detach(struct ipc_client *c)
{
	struct connection *old = c->connection;

	if (!old)
		return;
	connection_lost(c);
	old->dead = true;
	if (old->reader)
		fiber_cancel(old->reader);
	connection_release(old);
}

void ipc_client_close(struct ipc_client *c)
{
	c->closed = true;
	ipc_client_detach(c);
	waitq_wake_all(&c->unconnected);
}

void ipc_client_free(struct ipc_client *c)
{
	if (!c)
		return;
	ipc_client_detach(c);
	check(list_empty(&c->pending));
	free(c);
}

void ipc_client_attach(struct ipc_client *c, int fd)
{
	if (c->closed) {
		close(fd);
		return;
	}
	ipc_client_detach(c);

	struct connection *n = calloc(1, sizeof(*n));
	if (!n)
		check_no_memory();
	ipc_link_init(&n->link, fd);
	n->client = c;
	c->connection = n;
	(void)!start_reading(n);
	waitq_wake_all(&c->unconnected);
}

void ipc_request_begin(struct ipc_writer *w)
{
	ipc_writer_init(w, ipc_scratch());
}

/* The packet is in the shared scratch buffer, which others use while we wait: keep a copy. */
static int may_suspend wait_for_connection(struct ipc_client *c, struct ipc_writer *w,
					   struct buf *copy, int64_t deadline)
{
	if (!c->connection) {
		buf_put_str(copy, buf_str(w->buf));
		w->buf = copy;
	}
	while (!c->connection) {
		if (c->closed)
			return -EPIPE;
		int r = waitq_wait(&c->unconnected, "ipc connection", deadline);
		if (r < 0)
			return r;
	}
	return start_reading(c->connection);
}

static int may_suspend send_and_wait(struct ipc_client *c, const struct ipc_request *q,
				     struct ipc_writer *w, struct pending *p, int64_t deadline)
{
	struct connection *n = c->connection;

	ipc_write_header(w, &(struct ipc_header){ .sequence = p->sequence,
						  .method = q->method,
						  .kind = IPC_REQUEST });
	list_append(&c->pending, &p->link);
	n->senders++;
	int r = ipc_link_send(&n->link, w, deadline);
	n->senders--;
	connection_release(n);
	while (r == 0 && !p->answered)
		r = fiber_park(q->name, deadline);
	list_remove(&p->link);
	return p->answered ? p->result : r;
}

int ipc_client_call(struct ipc_client *c, const struct ipc_request *q, struct ipc_writer *w,
		    struct ipc_reader *r, struct err *err)
{
	int64_t deadline = loop_deadline(q->timeout);
	struct pending p = { .fiber = fiber_self(), .reader = r, .err = err };
	auto_buf struct buf copy;

	buf_init(&copy, NULL, IPC_MESSAGE_MAX);
	if (ipc_writer_failed(w))
		return err_set(err, -E2BIG, "%s: the request is too large", q->name);
	list_init(&p.link);
	p.sequence = ++c->sequence;

	int e = wait_for_connection(c, w, &copy, deadline);
	if (e == 0)
		e = send_and_wait(c, q, w, &p, deadline);
	if (e < 0 && !p.answered)
		err_set(err, e, "%s: %s", q->name,
			e == -ETIMEDOUT ? "no answer in time" : strerror(-e));
	return e;
}
