#include "smtp/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/rand.h"
#include "core/work.h"

void smtp_body_init(struct smtp_body *b, int spool, uint64_t memory_max)
{
	*b = (struct smtp_body){ .fd = -1, .spool = spool, .memory_max = memory_max };
}

void smtp_body_done(struct smtp_body *b)
{
	fd_close_scope(&b->fd);
	b->fd = -1;
}

/* A file without a name. Not every file system has O_TMPFILE. */
static int open_spool_file(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;

	char name[32];
	snprintf(name, sizeof(name), "body.%016llx", (unsigned long long)rand_u64());
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)unlinkat(dir, name, 0);
	return fd;
}

struct move {
	int dir, from;
	uint64_t size;
	int to; /* result */
};

static int copy_all(int to, int from, uint64_t size)
{
	off_t at = 0;
	while ((uint64_t)at < size) {
		ssize_t n = sendfile(to, from, &at, size - (uint64_t)at);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	return 0;
}

static int move_to_file(void *arg)
{
	struct move *m = arg;
	auto_close int fd = open_spool_file(m->dir);
	if (fd < 0)
		return -errno;
	int r = m->from < 0 ? 0 : copy_all(fd, m->from, m->size);
	if (r < 0)
		return r;
	m->to = take_fd(&fd);
	return 0;
}

static int leave_memory(struct smtp_body *b, struct err *err)
{
	struct move m = { .dir = b->spool, .from = b->fd, .size = b->size, .to = -1 };
	int r = work_run(move_to_file, &m);
	if (r < 0)
		return err_set(err, r, "spool file: %s", strerror(-r));
	fd_close_scope(&b->fd);
	b->fd = m.to;
	b->in_file = true;
	return 0;
}

struct write {
	int fd;
	struct iovec v[SMTP_BODY_PIECES];
	size_t count;
};

static int write_all(void *arg)
{
	struct write *w = arg;
	struct iovec *v = w->v;
	size_t left = w->count;
	while (left) {
		ssize_t n = writev(w->fd, v, (int)left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; left && (size_t)n >= v->iov_len; v++, left--)
			n -= (ssize_t)v->iov_len;
		if (left) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int smtp_body_write(struct smtp_body *b, const struct str *pieces, size_t count, struct err *err)
{
	struct write w = { .count = count };
	uint64_t n = 0;
	check(count <= SMTP_BODY_PIECES);
	for (size_t i = 0; i < count; i++) {
		w.v[i] = (struct iovec){ (void *)pieces[i].p, pieces[i].n };
		n += pieces[i].n;
	}

	if (b->fd < 0 && b->size == 0) {
		b->fd = memfd_create("message", MFD_CLOEXEC);
		if (b->fd < 0)
			return err_sys(err, "memory file");
	}
	if (!b->in_file && b->spool >= 0 && b->size + n > b->memory_max) {
		int r = leave_memory(b, err);
		if (r < 0)
			return r;
	}
	w.fd = b->fd;
	int r = b->in_file ? work_run(write_all, &w) : write_all(&w);
	if (r < 0)
		return err_set(err, r, "message body: %s", strerror(-r));
	b->size += n;
	return 0;
}
