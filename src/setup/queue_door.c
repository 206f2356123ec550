#include "setup/queue_door.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
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
