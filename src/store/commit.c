#include "store/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"

/* Beyond this many files one syncfs costs less than their fsyncs, and so many descriptors too
 * much. */
#define COMMIT_FILES_MAX 64

struct store_commit {
	int fds[COMMIT_FILES_MAX];
	unsigned n;
	bool whole; /* syncfs on fds[0] */
};

struct store_commit *store_commit_new(void)
{
	struct store_commit *c = calloc(1, sizeof(*c));
	if (!c)
		check_no_memory();
	return c;
}

void store_commit_free(struct store_commit *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n; i++)
		close(c->fds[i]);
	free(c);
}

static void add_own(struct store_commit *c, int fd)
{
	if (c->n < COMMIT_FILES_MAX) {
		c->fds[c->n++] = fd;
		return;
	}
	close(fd);
	c->whole = true;
}

int store_commit_add(struct store_commit *c, int fd, struct err *err)
{
	if (!c || c->whole)
		return 0;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return err_sys(err, "duplicate a descriptor");
	add_own(c, own);
	return 0;
}

int store_commit_add_at(struct store_commit *c, int dirfd, const char *path, struct err *err)
{
	if (!c || c->whole)
		return 0;
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && c->n) {
		c->whole = true;
		return 0;
	}
	if (fd < 0)
		return err_sys(err, "%s: open", path);
	add_own(c, fd);
	return 0;
}

int store_commit_run(void *commit)
{
	struct store_commit *c = commit;
	int r = 0;
	if (c->whole)
		return syncfs(c->fds[0]) < 0 ? -errno : 0;
	for (unsigned i = 0; i < c->n; i++)
		if (fsync(c->fds[i]) < 0 && r == 0)
			r = -errno;
	return r;
}
