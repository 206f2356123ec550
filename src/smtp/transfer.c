#include "smtp/transfer.h"

#include <errno.h>

#include "core/loop.h"
#include "smtp/session.h"

/* The average counts from here on. */
#define GRACE_MS 60000

/* A chunk that nobody wants is read away only up to this size. */
#define UNWANTED_MAX ((uint64_t)64 << 20)

/* How long the peer may take for the next bytes, having sent `n` since `start`. */
static int64_t next_deadline(const struct smtp_session *s, int64_t start, uint64_t n)
{
	int64_t idle = loop_deadline(s->settings->smtp_idle);
	int64_t rate = s->settings->smtp_data_rate_min;
	if (rate <= 0)
		return idle;
	int64_t due = start + GRACE_MS + (int64_t)(n / (uint64_t)rate) * 1000;
	return due < idle ? due : idle;
}

static int wait_for_bytes(struct smtp_session *s, int64_t start, uint64_t n)
{
	int64_t deadline = next_deadline(s, start, n);
	if (loop_now() >= deadline)
		return -ETIMEDOUT;
	int r = smtp_wait_input(s, deadline);
	return r == 0 ? -ENODATA : r;
}

int smtp_transfer_data(struct smtp_session *s, struct smtp_receive *r)
{
	int64_t start = loop_now();
	while (!smtp_receive_ended(r)) {
		int w = wait_for_bytes(s, start, r->taken);
		if (w < 0)
			return w;
		stream_consume(s->stream, smtp_receive_feed(r, stream_peek(s->stream)));
		if (smtp_receive_is_hopeless(r))
			return -EMSGSIZE;
	}
	return 0;
}

int smtp_transfer_chunk(struct smtp_session *s, struct smtp_receive *r, uint64_t size)
{
	int64_t start = loop_now();
	uint64_t done = 0;
	if (!r && size > UNWANTED_MAX)
		return -EMSGSIZE;
	while (done < size) {
		int w = wait_for_bytes(s, start, done);
		if (w < 0)
			return w;
		uint64_t left = size - done;
		struct str in =
			str_sub(stream_peek(s->stream), 0, left < SIZE_MAX ? left : SIZE_MAX);
		size_t used = r ? smtp_receive_feed(r, in) : in.n;
		stream_consume(s->stream, used);
		done += used;
		if (r && smtp_receive_is_hopeless(r))
			return -EMSGSIZE;
	}
	return 0;
}
