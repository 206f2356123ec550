#include "courier/body.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "core/work.h"

struct read_job {
	int fd;
	uint64_t at;
	char *to;
	size_t n;
};

static int read_in_thread(void *arg)
{
	struct read_job *j = arg;
	ssize_t got = fd_pread_all(j->fd, j->to, j->n, j->at);

	if (got < 0)
		return (int)got;
	return (size_t)got == j->n ? 0 : -EIO;
}

int body_read(const struct body *b, uint64_t at, char *to, size_t n)
{
	struct iovec v = { to, n };

	check(at <= b->length && n <= b->length - at);
	if (n == 0)
		return 0;
	/* Most mail leaves while it is in memory still. */
	ssize_t got = preadv2(b->fd, &v, 1, (off_t)(b->offset + at), RWF_NOWAIT);
	if (got == (ssize_t)n)
		return 0;
	size_t have = got > 0 ? (size_t)got : 0;
	struct read_job j = { b->fd, b->offset + at + have, to + have, n - have };
	return work_run(read_in_thread, &j);
}

struct examiner {
	struct body_traits *out;
	unsigned char last; /* the byte before */
	bool in_head;	    /* the empty line has not come yet */
	bool line_is_empty;
};

static void examine(struct examiner *x, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = p[i];
		if (c >= 0x80) {
			x->out->eight_bit = true;
			x->out->eight_bit_head |= x->in_head;
		}
		if (c == 0 || (c == '\n' && x->last != '\r') || (c != '\n' && x->last == '\r'))
			x->out->binary = true;
		if (c == '\n') {
			x->in_head = x->in_head && !x->line_is_empty;
			x->line_is_empty = true;
		} else if (c != '\r') {
			x->line_is_empty = false;
		}
		x->last = c;
	}
}

int body_examine(const struct body *b, char *block, struct body_traits *out)
{
	struct body_traits t = { 0 };
	struct examiner x = { .out = &t, .in_head = true, .line_is_empty = true };

	for (uint64_t at = 0; at < b->length;) {
		size_t n = b->length - at < BODY_BLOCK ? (size_t)(b->length - at) : BODY_BLOCK;
		int r = body_read(b, at, block, n);
		if (r < 0)
			return r;
		examine(&x, (const unsigned char *)block, n);
		at += n;
	}
	*out = t;
	return 0;
}
