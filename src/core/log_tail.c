#include "core/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum {
	/* A pipe that polls writable takes this much without blocking (PIPE_BUF). */
	CHUNK = 2048,
	/* One call must not keep its caller for long. */
	COPY_MAX = 256 * 1024,
};

static void open_file(struct log_tail *t)
{
	t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	t->offset = 0;
}

void log_tail_init(struct log_tail *t, const char *path)
{
	struct stat st;

	t->path = path;
	open_file(t);
	if (t->fd >= 0 && fstat(t->fd, &st) == 0)
		t->offset = st.st_size;
}

void log_tail_done(struct log_tail *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* Does the path name another file than the one that is open? */
static bool is_replaced(const struct log_tail *t)
{
	struct stat opened, named;

	if (stat(t->path, &named) < 0)
		return false; /* between rename and create: the old file may still grow */
	return fstat(t->fd, &opened) < 0 || opened.st_ino != named.st_ino ||
	       opened.st_dev != named.st_dev;
}

static void start_over_if_truncated(struct log_tail *t)
{
	struct stat st;
	if (fstat(t->fd, &st) == 0 && st.st_size < t->offset)
		t->offset = 0;
}

static bool takes_more(int out)
{
	struct pollfd p = { .fd = out, .events = POLLOUT };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/* The next few bytes: their number, 0 at the end of the file, -EAGAIN when `out` is full. */
static ssize_t copy_chunk(struct log_tail *t, int out, struct err *err)
{
	char chunk[CHUNK];

	if (!takes_more(out))
		return -EAGAIN;
	ssize_t n = pread(t->fd, chunk, sizeof(chunk), t->offset);
	if (n < 0)
		return err_sys(err, "%s: read", t->path);
	if (n == 0)
		return 0;
	n = write(out, chunk, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < 0)
		return err_sys(err, "write");
	t->offset += n;
	return n;
}

/* Up to the end of the open file: true there, false when `out` is full or enough was copied. */
static int copy_file(struct log_tail *t, int out, ssize_t *total, struct err *err)
{
	start_over_if_truncated(t);
	while (*total < COPY_MAX) {
		ssize_t n = copy_chunk(t, out, err);
		if (n == -EAGAIN)
			return false;
		if (n <= 0)
			return n < 0 ? (int)n : true;
		*total += n;
	}
	return false;
}

ssize_t log_tail_copy(struct log_tail *t, int out, struct err *err)
{
	ssize_t total = 0;

	if (t->fd < 0)
		open_file(t);
	while (t->fd >= 0) {
		bool replaced = is_replaced(t);
		int at_end = copy_file(t, out, &total, err);
		if (at_end < 0)
			return at_end;
		if (!at_end || !replaced)
			break;
		log_tail_done(t);
		open_file(t);
	}
	return total;
}
