/* What operator.ipc asks. Envelopes are read from the journal as they are asked for. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/work.h"
#include "queue/operator.h"
#include "queue/operator_ipc.h"
#include "queue/queue_state.h"

/* Looking at a million messages must not be felt: others run after so many buckets. */
#define BUCKETS_AT_ONCE 8192

static enum operator_state state_of(const struct queue_entry *e)
{
	switch ((enum queue_entry_state)e->state) {
	case QUEUE_DEFERRED:
		return OPERATOR_DEFERRED;
	case QUEUE_HELD:
		return OPERATOR_HELD;
	case QUEUE_ACTIVE:
	case QUEUE_WRITTEN:
		return OPERATOR_ACTIVE;
	default:
		return OPERATOR_INCOMING;
	}
}

/* On their way to the answer. */
struct id_list {
	int fd;
	unsigned states; /* wanted */
	uint64_t count;
	struct buf *waiting;
};

static int write_ids(struct id_list *l, struct err *err)
{
	int r = fd_write_all(l->fd, buf_str(l->waiting), err);

	buf_clear(l->waiting);
	return r < 0 ? r : 0;
}

static void add_bucket(const struct queue *q, size_t i, struct id_list *l)
{
	for (struct queue_entry *e = queue_entries_bucket(&q->entries, i); e; e = e->next) {
		if (e->state == QUEUE_COMMITTING || e->deleted || !(l->states & 1u << state_of(e)))
			continue;
		buf_put(l->waiting, &e->id, sizeof(e->id));
		l->count++;
	}
}

/* The whole table. -EAGAIN when it was made larger meanwhile, which moves what is in it. */
static int may_suspend list_ids(struct queue *q, struct id_list *l, struct err *err)
{
	size_t n = q->entries.bucket_count;

	for (size_t i = 0; i < n; i++) {
		add_bucket(q, i, l);
		if ((i + 1) % BUCKETS_AT_ONCE && i + 1 < n)
			continue;
		int r = write_ids(l, err);
		if (r == 0)
			r = fiber_yield();
		if (r < 0)
			return r;
		if (q->entries.bucket_count != n)
			return -EAGAIN;
	}
	return 0;
}

static int may_suspend op_ids(void *ctx, struct operator_ids_in *in, struct arena *a,
			      struct operator_ids_out *out, struct err *err)
{
	auto_close int fd = memfd_create("ids", MFD_CLOEXEC);
	auto_buf struct buf waiting;
	struct id_list l = {
		.fd = fd,
		.states = in->states ? in->states : ~0u,
		.waiting = &waiting,
	};
	int r;
	(void)a;

	buf_init(&waiting, NULL, SIZE_MAX);
	if (fd < 0)
		return err_sys(err, "memfd");
	do {
		l.count = 0;
		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
			return err_sys(err, "memfd");
		r = list_ids(ctx, &l, err);
	} while (r == -EAGAIN);
	if (r < 0)
		return r;
	out->count = l.count;
	out->ids = take_fd(&fd);
	return 0;
}

/* An entry that is not there any more costs its line. */
static int may_suspend add_message(struct queue *q, uint64_t id, struct arena *a,
				   struct operator_messages_out *out)
{
	struct queue_entry *e = queue_entries_find(&q->entries, id);
	struct envelope envelope;

	if (!e || e->state == QUEUE_COMMITTING || e->deleted)
		return 0;
	int r = queue_peek(e, a, &envelope);
	e = queue_entries_find(&q->entries, id);
	if (r < 0 || !e)
		return r == -ECANCELED ? r : 0;
	struct operator_message *m = &out->messages[out->messages_count++];
	*m = (struct operator_message){
		.id = id,
		.size = queue_entry_content_length(e),
		.sender = envelope.sender,
		.auth_user = envelope.auth_user,
		.priority = envelope_priority(envelope.flags),
		.client_address = envelope.client_address,
		.state = (uint8_t)state_of(e),
		.attempts = e->attempts,
		.next = e->state == QUEUE_DEFERRED
				? (queue_now_usec(q) / 1000 + e->next_try - loop_now()) / 1000
				: 0,
	};
	size_t room = ENVELOPE_RECIPIENTS_MAX - out->recipients_count;
	for (uint32_t i = 0; i < e->recipient_count && m->recipients < room; i++) {
		const struct envelope_recipient *rcpt = &envelope.recipients[i];
		if (queue_entry_rcpt(e, i) == QUEUE_RCPT_FINISHED)
			continue;
		m->recipients++;
		out->recipients[out->recipients_count++] = (struct operator_recipient){
			.address = rcpt->address,
			.original = rcpt->original,
			.notify = (uint8_t)rcpt->notify,
		};
	}
	return 0;
}

/* An answer is at most 256 KiB: addresses of 512 bytes would not all fit, so whoever asks for
 * fewer than were found asks again for the rest. */
#define ANSWER_MAX (180u << 10)

static size_t answer_size(const struct operator_messages_out *out)
{
	size_t n = out->messages_count * 64;

	for (size_t i = 0; i < out->messages_count; i++)
		n += out->messages[i].sender.n + out->messages[i].auth_user.n +
		     out->messages[i].client_address.n;
	for (size_t i = 0; i < out->recipients_count; i++)
		n += 16 + out->recipients[i].address.n + out->recipients[i].original.n;
	return n;
}

static int may_suspend op_messages(void *ctx, struct operator_messages_in *in, struct arena *a,
				   struct operator_messages_out *out, struct err *err)
{
	struct queue *q = ctx;
	int r = 0;

	if (in->ids_count > OPERATOR_IDS_MAX)
		return err_set(err, -E2BIG, "%zu ids", in->ids_count);
	out->messages = ARENA_NEW_ARRAY(a, struct operator_message, in->ids_count);
	out->recipients = ARENA_NEW_ARRAY(a, struct operator_recipient, ENVELOPE_RECIPIENTS_MAX);
	for (size_t i = 0; r == 0 && i < in->ids_count; i++) {
		if (i > 0 && answer_size(out) > ANSWER_MAX / 2)
			break;
		r = add_message(q, in->ids[i].id, a, out);
		out->asked++;
	}
	/* One message with thousands of long addresses. */
	while (answer_size(out) > ANSWER_MAX) {
		out->recipients_count--;
		out->messages[out->messages_count - 1].recipients--;
	}
	return r;
}

static int op_content(void *ctx, struct operator_content_in *in, struct arena *a,
		      struct operator_content_out *out, struct err *err)
{
	struct queue *q = ctx;
	struct queue_entry *e = queue_entries_find(&q->entries, in->id);
	(void)a;

	if (!e || e->state == QUEUE_COMMITTING)
		return err_set(err, -ENOENT, "no such message");
	/* Somebody else reads it now: it must not be overwritten. */
	e->segment->no_reuse = true;
	out->file = fcntl(e->segment->fd, F_DUPFD_CLOEXEC, 0);
	if (out->file < 0)
		return err_sys(err, "journal");
	out->offset = queue_entry_content_offset(e);
	out->length = queue_entry_content_length(e);
	return 0;
}

static int may_suspend op_act(void *ctx, struct operator_act_in *in, struct arena *a,
			      struct operator_act_out *out, struct err *err)
{
	if (in->action >= OPERATOR_ACTIONS)
		return err_set(err, -EINVAL, "action %u", in->action);
	if (in->ids_count > OPERATOR_ACT_MAX)
		return err_set(err, -E2BIG, "%zu ids", in->ids_count);
	out->missing = ARENA_NEW_ARRAY(a, struct operator_id, in->ids_count);
	for (size_t i = 0; i < in->ids_count; i++) {
		int r = queue_act(ctx, in->action, in->ids[i].id);
		if (r == -ENOENT)
			out->missing[out->missing_count++] = in->ids[i];
		else
			out->count += (uint64_t)r;
	}
	return queue_act_end(ctx, in->action, err);
}

static int may_suspend op_unsuppress(void *ctx, struct operator_unsuppress_in *in, struct arena *a,
				     struct operator_unsuppress_out *out, struct err *err)
{
	(void)a, (void)out;
	return queue_unsuppress(ctx, in->address, err);
}

struct ipc_server queue_operator_server(struct queue *q)
{
	static const struct operator_ops ops = {
		.ids = op_ids,
		.messages = op_messages,
		.content = op_content,
		.act = op_act,
		.unsuppress = op_unsuppress,
	};

	return (struct ipc_server){ .service = &operator_service, .ops = &ops, .ctx = q };
}
