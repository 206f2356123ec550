#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/ipc.h"
#include "core/log.h"
#include "disk.h"
#include "queue/queue_id.h"

/* When the world begins: a day in 2026. */
#define WALL_USEC 1795000000000000

static void copy_text(char to[128], struct str s)
{
	snprintf(to, 128, "%" STR_FMT, STR_ARG(s));
}

static struct world_delivery *note(struct world_worker *worker, const struct mailbox_deliver_in *in)
{
	struct world *w = worker->world;

	if (w->delivery_count % 1024 == 0) {
		w->deliveries =
			realloc(w->deliveries, (w->delivery_count + 1024) * sizeof(*w->deliveries));
		check(w->deliveries != NULL);
	}
	struct world_delivery *d = &w->deliveries[w->delivery_count++];
	*d = (struct world_delivery){
		.id = in->id,
		.length = in->length,
		.part = in->part,
		.replay = in->replay,
		.at = loop_now() - w->began,
		.worker = worker->index,
	};
	copy_text(d->address, in->address);
	copy_text(d->account, in->account);
	copy_text(d->original, in->original);
	copy_text(d->sender, in->sender);
	d->content = calloc(1, in->length + 1);
	check(d->content != NULL);
	check(pread(in->segment, d->content, in->length, (off_t)in->offset) == (ssize_t)in->length);
	return d;
}

static int enter_account(struct world *w, struct str account)
{
	int slot = -1;

	for (int i = 0; i < (int)ARRAY_LEN(w->busy); i++) {
		if (w->busy[i][0] && str_eq(str_from(w->busy[i]), account))
			w->overlap = true;
		if (!w->busy[i][0])
			slot = i;
	}
	check(slot >= 0);
	copy_text(w->busy[slot], account);
	return slot;
}

static int op_deliver(void *ctx, struct mailbox_deliver_in *in, struct arena *a,
		      struct mailbox_deliver_out *out, struct err *err)
{
	struct world_worker *worker = ctx;
	struct world *w = worker->world;
	(void)a;

	note(worker, in);
	int slot = enter_account(w, in->account);
	if (++w->in_flight > w->in_flight_max)
		w->in_flight_max = w->in_flight;
	int r = w->slow_ms ? fiber_sleep(w->slow_ms) : 0;
	w->in_flight--;
	w->busy[slot][0] = '\0';
	if (r == 0 && w->script)
		r = w->script(w, in);
	if (r < 0)
		return err_set(err, r, "scripted: %s", strerror(-r));
	out->outcome = (uint8_t)r;
	out->status = r == MAILBOX_DELIVERED ? STR("2.0.0")
		      : r == MAILBOX_REFUSED ? STR("5.2.2")
					     : STR("4.2.2");
	out->text = r == MAILBOX_DELIVERED ? STR("delivered to INBOX") : STR("mailbox is full");
	return 0;
}

static int op_checkpoint(void *ctx, struct mailbox_checkpoint_in *in, struct arena *a,
			 struct mailbox_checkpoint_out *out, struct err *err)
{
	struct world_worker *worker = ctx;
	(void)a, (void)out;

	worker->checkpoints++;
	worker->inherited[0] = '\0';
	if (in->inherited_count)
		copy_text(worker->inherited, in->inherited[0].account);
	if (worker->world->checkpoint_slow_ms)
		(void)!fiber_sleep(worker->world->checkpoint_slow_ms);
	if (worker->world->checkpoint_result < 0)
		return err_set(err, worker->world->checkpoint_result, "scripted");
	return 0;
}

static int op_session(void *ctx, struct mailbox_session_in *in, struct arena *a,
		      struct mailbox_session_out *out, struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)out;
	return err_set(err, -ENOSYS, "no sessions here");
}

static const struct mailbox_ops mailbox = {
	.deliver = op_deliver,
	.checkpoint = op_checkpoint,
	.session = op_session,
};

static void note_shipments(struct world *w, const struct courier_deliver_in *in)
{
	for (size_t i = 0; i < in->recipients_count; i++) {
		if (w->shipment_count % 1024 == 0)
			w->shipments = realloc(w->shipments,
					       (w->shipment_count + 1024) * sizeof(*w->shipments));
		check(w->shipments != NULL);
		struct world_shipment *s = &w->shipments[w->shipment_count++];
		*s = (struct world_shipment){
			.id = in->id,
			.position = i,
			.count = in->recipients_count,
			.notify = in->recipients[i].notify,
			.at = loop_now() - w->began,
		};
		copy_text(s->nexthop, in->nexthop);
		copy_text(s->address, in->recipients[i].address);
		copy_text(s->sender, in->sender);
		if (i > 0)
			continue;
		s->content = calloc(1, in->length + 1);
		check(s->content != NULL);
		check(pread(in->segment, s->content, in->length, (off_t)in->offset) ==
		      (ssize_t)in->length);
	}
}

static int op_ship(void *ctx, struct courier_deliver_in *in, struct arena *a,
		   struct courier_deliver_out *out, struct err *err)
{
	struct world *w = ctx;
	static const struct courier_result results[] = {
		[COURIER_DELIVERED] = { COURIER_DELIVERED, STR_INIT("2.0.0"),
					STR_INIT("250 2.0.0 Ok: queued") },
		[COURIER_TRY_AGAIN] = { COURIER_TRY_AGAIN, STR_INIT("4.2.0"),
					STR_INIT("host said: 450 4.2.0 greylisted") },
		[COURIER_REFUSED] = { COURIER_REFUSED, STR_INIT("5.1.1"),
				      STR_INIT("host said: 550 5.1.1 unknown user") },
	};

	if (++w->calls > w->calls_max)
		w->calls_max = w->calls;
	note_shipments(w, in);
	int r = w->courier_slow ? fiber_sleep(w->courier_slow(w, in)) : 0;
	w->calls--;
	out->relay = arena_printf(a, "mx.%" STR_FMT "[192.0.2.1]:25", STR_ARG(in->nexthop));
	out->tls = STR("TLSv1.3");
	out->results = ARENA_NEW_ARRAY(a, struct courier_result, in->recipients_count);
	out->results_count = in->recipients_count;
	for (size_t i = 0; r >= 0 && i < in->recipients_count; i++) {
		if (w->courier_script)
			r = w->courier_script(w, in, &in->recipients[i], out);
		if (r >= 0)
			out->results[i] = results[r];
	}
	return r < 0 ? err_set(err, r, "scripted: %s", strerror(-r)) : 0;
}

static const struct courier_ops courier = { .deliver = op_ship };

static int op_relay(void *ctx, struct auth_relay_in *in, struct arena *a,
		    struct auth_relay_out *out, struct err *err)
{
	struct world *w = ctx;
	(void)in, (void)a, (void)err;

	w->relay_questions++;
	int r = w->relay_slow_ms ? fiber_sleep(w->relay_slow_ms) : 0;
	if (r < 0)
		return r;
	out->nexthop = w->relay;
	out->none = w->relay.n == 0;
	return 0;
}

/* Mail for example.org is ours. */
static int op_resolve(void *ctx, struct auth_resolve_in *in, struct arena *a,
		      struct auth_resolve_out *out, struct err *err)
{
	struct world *w = ctx;

	if (w->resolve_result < 0)
		return err_set(err, w->resolve_result, "scripted");
	if (!str_ends(in->address, STR("@example.org"))) {
		out->verdict = AUTH_NOT_OURS;
		out->targets = ARENA_NEW(a, struct auth_target);
		out->targets_count = 1;
		out->targets[0] =
			(struct auth_target){ .address = in->address, .kind = AUTH_TARGET_REMOTE };
		return 0;
	}
	out->verdict = AUTH_OK;
	out->targets = ARENA_NEW(a, struct auth_target);
	out->targets_count = 1;
	out->targets[0] = (struct auth_target){
		.address = in->address,
		.account = in->address,
		.kind = AUTH_TARGET_MAILBOX,
	};
	return 0;
}

static const struct auth_ops auth = { .resolve = op_resolve, .relay = op_relay };

static int serve(struct world *w, const struct ipc_service *service, const void *ops, void *ctx)
{
	struct ipc_server s = { .service = service, .ops = ops, .ctx = ctx };
	int fds[2];

	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	check(ipc_serve(fds[0], &s, &w->servers) == 0);
	return fds[1];
}

void world_attach(struct world *w, unsigned worker)
{
	int fd = serve(w, &mailbox_service, &mailbox, &w->workers[worker]);

	w->workers[worker].fd = dup(fd);
	queue_attach_worker(w->queue, worker, fd);
}

void world_attach_courier(struct world *w)
{
	int fd = serve(w, &courier_service, &courier, w);

	w->courier_fd = dup(fd);
	queue_attach_courier(w->queue, fd);
}

void world_detach_courier(struct world *w)
{
	shutdown(w->courier_fd, SHUT_RDWR);
	close(w->courier_fd);
	w->courier_fd = -1;
}

void world_detach(struct world *w, unsigned worker)
{
	shutdown(w->workers[worker].fd, SHUT_RDWR);
	close(w->workers[worker].fd);
	w->workers[worker].fd = -1;
}

static void begin_log(struct world *w)
{
	w->log_fd = memfd_create("log", MFD_CLOEXEC);
	check(w->log_fd >= 0);
	log_init(&(struct log_config){
		.role = "queue", .host = STR("mail"), .level = LOG_LEVEL_DEBUG, .fd = w->log_fd });
}

void world_init(struct world *w)
{
	*w = (struct world){
		.config = {
			.dir = disk_begin(),
			.io = &disk_io,
			.segment_size = 1 << 20,
			.fqdn = STR("mail.example.org"),
			.workers = WORLD_WORKERS,
		},
		.began = loop_now(),
		.next_id = 1000,
		.courier_fd = -1,
	};
	group_init(&w->servers);
	group_init(&w->clients);
	begin_log(w);
	for (unsigned i = 0; i < WORLD_WORKERS; i++) {
		w->workers[i].world = w;
		w->workers[i].index = i;
		w->workers[i].fd = -1;
	}
}

void world_start(struct world *w)
{
	struct err err = { 0 };

	/* The clock of the wall goes with the virtual one. */
	w->config.wall_usec = WALL_USEC + (loop_now() - w->began) * 1000;
	int r = queue_start(&w->config, &w->queue, &err);
	if (r < 0)
		fprintf(stderr, "queue_start: %s\n", err.text);
	assert_int_equal(r, 0);
	queue_attach_auth(w->queue, serve(w, &auth_service, &auth, w));
	for (unsigned i = 0; i < WORLD_WORKERS; i++)
		world_attach(w, i);
	world_attach_courier(w);
	struct ipc_server queue = queue_ipc_server(w->queue);
	w->front = ipc_client_new("queue", &w->clients);
	ipc_client_attach(w->front, serve(w, queue.service, queue.ops, queue.ctx));
	struct ipc_server operators = queue_operator_server(w->queue);
	w->operators = ipc_client_new("operator", &w->clients);
	ipc_client_attach(w->operators, serve(w, operators.service, operators.ops, operators.ctx));
}

void world_kill(struct world *w)
{
	for (unsigned i = 0; i < WORLD_WORKERS; i++) {
		if (w->workers[i].fd >= 0)
			world_detach(w, i);
	}
	if (w->courier_fd >= 0)
		world_detach_courier(w);
	group_done(&w->clients);
	ipc_client_free(w->front);
	ipc_client_free(w->operators);
	group_done(&w->servers);
	queue_stop(w->queue);
	w->queue = NULL;
}

int world_drain(struct world *w)
{
	int r = queue_drain(w->queue, loop_deadline(10000));

	world_kill(w);
	return r;
}

void world_done(struct world *w)
{
	if (w->queue)
		world_kill(w);
	for (size_t i = 0; i < w->delivery_count; i++)
		free(w->deliveries[i].content);
	free(w->deliveries);
	for (size_t i = 0; i < w->shipment_count; i++)
		free(w->shipments[i].content);
	free(w->shipments);
	log_init(&(struct log_config){ .role = "test", .fd = STDERR_FILENO });
	close(w->log_fd);
	disk_end();
}

uint64_t world_id(struct world *w)
{
	struct queue_id_gen gen = { .last = w->next_id };

	w->next_id = queue_id_next_at(&gen, WALL_USEC + (loop_now() - w->began) * 1000);
	return w->next_id;
}

int world_submit(struct world *w, const char *sender, const struct queue_recipient *rcpts, size_t n,
		 uint64_t *id)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_close int body = memfd_create("body", MFD_CLOEXEC);
	struct err err = { 0 };
	struct queue_submit_out out;

	*id = world_id(w);
	struct str text = arena_printf(&a, "Subject: %s\r\n\r\nThis is message %s.\r\n",
				       queue_id_text(*id).c, queue_id_text(*id).c);
	check(write(body, text.p, text.n) == (ssize_t)text.n);
	struct queue_submit_in in = {
		.id = *id,
		.sender = str_from(sender),
		.flags = w->flags,
		.envelope = -1,
		.recipients = (struct queue_recipient *)rcpts,
		.recipients_count = n,
		.head = STR("Received: by the test\r\n"),
		.body = body,
		.body_size = text.n,
	};
	return queue_submit(w->front, &in, &a, &out, &err);
}

int world_send(struct world *w, const char *sender, const char *address)
{
	struct queue_recipient rcpt = { .address = str_from(address), .kind = ENVELOPE_MAILBOX };
	uint64_t id;

	return world_submit(w, sender, &rcpt, 1, &id);
}

int world_send_remote(struct world *w, const char *sender, const char *address)
{
	struct queue_recipient rcpt = { .address = str_from(address), .kind = ENVELOPE_REMOTE };
	uint64_t id;

	return world_submit(w, sender, &rcpt, 1, &id);
}

void world_sleep(struct world *w, int64_t ms)
{
	(void)w;
	assert_int_equal(fiber_sleep(ms), 0);
}

size_t world_messages(struct world *w)
{
	auto_arena struct arena a = ARENA_INIT;
	struct queue_status_in in = { 0 };
	struct queue_status_out out;
	struct err err = { 0 };

	assert_int_equal(queue_status(w->front, &in, &a, &out, &err), 0);
	return out.messages;
}

bool world_log_has(struct world *w, const char *text)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str log;
	struct err err;

	log_flush();
	check(lseek(w->log_fd, 0, SEEK_SET) == 0);
	check(fd_read_all(w->log_fd, &a, 1 << 28, &log, &err) == 0);
	check(lseek(w->log_fd, 0, SEEK_END) >= 0);
	if (str_find(log, str_from(text)) >= 0)
		return true;
	fprintf(stderr, "not in the log: %s\n%" STR_FMT, text, STR_ARG(log));
	return false;
}

int world_refuse(struct world *w, const struct mailbox_deliver_in *in)
{
	(void)w;
	return str_starts(in->address, STR("full")) ? MAILBOX_REFUSED : MAILBOX_DELIVERED;
}

int world_defer(struct world *w, const struct mailbox_deliver_in *in)
{
	(void)w;
	return str_starts(in->address, STR("busy")) ? MAILBOX_TRY_AGAIN : MAILBOX_DELIVERED;
}

void world_restart(struct world *w)
{
	world_kill(w);
	world_start(w);
}
