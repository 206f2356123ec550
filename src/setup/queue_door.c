#include "setup/queue_door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/loop.h"
#include "setup/message.h"

struct visit {
	struct setup *s;
	bool optional;
	queue_door_fn *fn;
	void *arg;
	enum setup_exit result;
};

static int connect_queue(struct setup *s, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct str path =
		arena_printf(&s->arena, "%" STR_FMT "/" OPERATOR_SOCKET, STR_ARG(s->state_dir));
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (path.n >= sizeof(name.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s", path.p);
	memcpy(name.sun_path, path.p, path.n);
	if (fd < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return err_sys(err, "%s", path.p);
	return take_fd(&fd);
}

static void visit_main(void *arg)
{
	struct visit *v = arg;
	auto_group struct group g;
	struct err err;

	group_init(&g);
	int fd = connect_queue(v->s, &err);
	if (fd < 0 && !v->optional) {
		v->result = message_fail(
			v->s, "The queue cannot be reached, is the server running? %s", err.text);
		return;
	}
	struct ipc_client *queue = fd < 0 ? NULL : ipc_client_new("queue", &g);
	if (queue)
		ipc_client_attach(queue, fd);
	v->result = v->fn(v->s, queue, v->arg);
	if (queue)
		ipc_client_close(queue);
	group_done(&g);
	ipc_client_free(queue);
}

enum setup_exit queue_door_open(struct setup *s, bool optional, queue_door_fn *fn, void *arg)
{
	struct visit v = { s, optional, fn, arg, SETUP_ERROR };
	struct group g;

	loop_init(LOOP_CLOCK_REAL);
	group_init(&g);
	if (fiber_spawn(&g, "setup", visit_main, &v) == 0)
		loop_run();
	loop_done();
	return v.result;
}

static int visit_some(struct ipc_client *queue, const struct operator_messages_in *in,
		      queue_each_fn *each, void *ctx, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_messages_out out;
	size_t first = 0;

	int r = operator_messages(queue, in, &a, &out, err);
	for (size_t i = 0; r >= 0 && i < out.messages_count; i++) {
		const struct operator_message *m = &out.messages[i];
		if (m->recipients > out.recipients_count - first)
			return err_set(err, -EBADMSG, "the queue's answer makes no sense");
		r = each(ctx, m, out.recipients + first, err);
		first += m->recipients;
	}
	if (r < 0)
		return r;
	return out.asked && out.asked <= in->ids_count ? (int)out.asked : (int)in->ids_count;
}

static int compare(const void *a, const void *b)
{
	const struct operator_id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The ids in a mapping of their own; *n of them. */
static struct operator_id *map_ids(struct ipc_client *queue, size_t *n, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_ids_in in = { 0 };
	struct operator_ids_out out;
	struct stat st;

	*n = 0;
	if (operator_ids(queue, &in, &a, &out, err) < 0)
		return NULL;
	auto_close int fd = out.ids;
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size / sizeof(struct operator_id) < out.count) {
		err_set(err, -EBADMSG, "the queue's answer makes no sense");
		return NULL;
	}
	if (out.count == 0)
		return NULL;
	*n = out.count;
	/* Private: sorting changes our copy alone. */
	void *p = mmap(NULL, *n * sizeof(struct operator_id), PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       fd, 0);
	if (p == MAP_FAILED) {
		err_sys(err, "mmap");
		return NULL;
	}
	qsort(p, *n, sizeof(struct operator_id), compare);
	return p;
}

int queue_door_each(struct ipc_client *queue, queue_each_fn *each, void *ctx, struct err *err)
{
	size_t n;
	int r = 0;

	*err = (struct err){ 0 };
	struct operator_id *ids = map_ids(queue, &n, err);
	if (!ids)
		return err->code;
	for (size_t i = 0; r >= 0 && i < n; i += (size_t)r) {
		struct operator_messages_in in = {
			.ids = ids + i,
			.ids_count = n - i < OPERATOR_IDS_MAX ? n - i : OPERATOR_IDS_MAX,
		};
		r = visit_some(queue, &in, each, ctx, err);
	}
	munmap(ids, n * sizeof(*ids));
	return r < 0 ? r : 0;
}

struct find {
	queue_each_fn *each;
	void *ctx;
	bool found;
};

static int found(void *ctx, const struct operator_message *m,
		 const struct operator_recipient *recipients, struct err *err)
{
	struct find *f = ctx;

	f->found = true;
	return f->each(f->ctx, m, recipients, err);
}

int queue_door_find(struct ipc_client *queue, uint64_t id, queue_each_fn *each, void *ctx,
		    struct err *err)
{
	struct find f = { each, ctx, false };
	struct operator_id one = { id };
	struct operator_messages_in in = { .ids = &one, .ids_count = 1 };

	int r = visit_some(queue, &in, found, &f, err);
	if (r < 0)
		return r;
	return f.found ? 0 : -ENOENT;
}
