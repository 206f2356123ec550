#include "store/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* That of the mail, that of the indexes, and those that are mounted for a mailbox copied from or
 * to. */
#define VOLUMES_MAX 4

struct store_commit {
	unsigned n;
	struct {
		dev_t device;
		int fd;
	} v[VOLUMES_MAX];
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
		close(c->v[i].fd);
	free(c);
}

int store_commit_volume(const struct store_commit *c, unsigned i)
{
	return i < c->n ? c->v[i].fd : -1;
}

int store_commit_add(struct store_commit *c, int fd, struct err *err)
{
	struct stat st;

	if (!c)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat of an open file");
	for (unsigned i = 0; i < c->n; i++)
		if (c->v[i].device == st.st_dev)
			return 0;
	check(c->n < VOLUMES_MAX);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return err_sys(err, "duplicate a descriptor");
	c->v[c->n].device = st.st_dev;
	c->v[c->n++].fd = own;
	return 0;
}
