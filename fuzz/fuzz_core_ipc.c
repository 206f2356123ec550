/* A call of any bytes and descriptors, decoded by the generated code of a real service: no length
 * is believed, and no descriptor is lost. */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/ipc.h"
#include "queue/queue_ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum;

/* Reads every byte, so that AddressSanitizer sees where they are. */
static void read_all(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char)s.p[i];
}

static int submit(void *ctx, struct queue_submit_in *in, struct arena *a,
		  struct queue_submit_out *out, struct err *err)
{
	(void)ctx, (void)a, (void)out;
	read_all(in->sender);
	read_all(in->head);
	for (size_t i = 0; i < in->recipients_count; i++) {
		read_all(in->recipients[i].address);
		read_all(in->recipients[i].orcpt);
		sum += in->recipients[i].kind;
	}
	if (in->id % 2) {
		auto_close int taken = in->body >= 0 ? take_fd(&in->body) : -1;
		return taken;
	}
	return err_set(err, -1, "no");
}

static int status(void *ctx, struct queue_status_in *in, struct arena *a,
		  struct queue_status_out *out, struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)err;
	out->messages = sum;
	return 0;
}

static int flush(void *ctx, struct queue_flush_in *in, struct arena *a, struct queue_flush_out *out,
		 struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)out, (void)err;
	return 0;
}

static const struct queue_ops ops = { .submit = submit, .status = status, .flush = flush };

static void handle(struct str packet, const struct ipc_header *h)
{
	auto_arena struct arena a = ARENA_INIT;
	struct ipc_reader r;
	struct ipc_writer w;
	struct err err;
	struct buf answer;
	int fds[IPC_FDS_MAX];

	buf_init(&answer, &a, IPC_MESSAGE_MAX);
	ipc_writer_init(&w, &answer);
	ipc_reader_init(&r, str_skip(packet, IPC_HEADER_SIZE), &a);
	r.fds = fds;
	for (; r.fd_count < h->fd_count; r.fd_count++)
		fds[r.fd_count] = dup(STDERR_FILENO);

	(void)queue_service.methods[h->method].handle(&ops, NULL, &r, &w, &err);
	check(w.fd_count == 0);
	ipc_reader_close_fds(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_header h;

	if (!ipc_read_header(str_of(data, size), &h) || h.method >= queue_service.method_count)
		return 0;

	int before = dup(STDERR_FILENO);
	close(before);
	handle(str_of(data, size), &h);
	int after = dup(STDERR_FILENO);
	close(after);
	check(before == after);
	return 0;
}
