#include "setup/queue_door.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/door.h"
#include "setup/message.h"

struct visit {
	bool optional;
	queue_door_fn *fn;
	void *arg;
};

static enum setup_exit visit(struct setup *s, void *arg)
{
	struct visit *v = arg;
	struct door queue;
	struct err err;

	if (door_open(s, OPERATOR_SOCKET, "queue", &queue, &err) < 0) {
		if (v->optional)
			return v->fn(s, NULL, v->arg);
		return message_fail(s, "The queue cannot be reached, is the server running? %s",
				    err.text);
	}
	enum setup_exit r = v->fn(s, queue.role, v->arg);
	door_close(&queue);
	return r;
}

enum setup_exit queue_door_open(struct setup *s, bool optional, queue_door_fn *fn, void *arg)
{
	struct visit v = { optional, fn, arg };

	return door_run(s, visit, &v);
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

int queue_door_ids(struct setup *s, struct ipc_client *queue, unsigned states,
		   struct queue_ids *ids, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct operator_ids_in in = { (uint8_t)states };
	struct operator_ids_out out;
	struct stat st;

	int r = operator_ids(queue, &in, &a, &out, err);
	if (r < 0)
		return r;
	auto_close int fd = out.ids;
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size / sizeof(struct operator_id) < out.count)
		return err_set(err, -EBADMSG, "the queue's answer makes no sense");
	ids->count = out.count;
	ids->v = ARENA_NEW_ARRAY(&s->arena, struct operator_id, out.count);
	size_t n = out.count * sizeof(*ids->v);
	ssize_t got = n ? fd_pread_all(fd, (char *)ids->v, n, 0) : 0;
	if (got != (ssize_t)n)
		return err_set(err, got < 0 ? (int)got : -EIO, "the ids cannot be read");
	qsort(ids->v, ids->count, sizeof(*ids->v), compare);
	return 0;
}

int queue_door_each(struct setup *s, struct ipc_client *queue, queue_each_fn *each, void *ctx,
		    struct err *err)
{
	struct queue_ids ids;

	*err = (struct err){ 0 };
	int r = queue_door_ids(s, queue, 0, &ids, err);
	for (size_t i = 0; r >= 0 && i < ids.count; i += (size_t)r) {
		size_t left = ids.count - i;
		struct operator_messages_in in = {
			.ids = ids.v + i,
			.ids_count = left < OPERATOR_IDS_MAX ? left : OPERATOR_IDS_MAX,
		};
		r = visit_some(queue, &in, each, ctx, err);
	}
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
