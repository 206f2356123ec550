#include "roles/mailbox_volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"

int mailbox_volumes_add(struct mailbox_volumes *m, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, "%s", path);
	for (unsigned i = 0; i < m->count; i++)
		if (m->v[i].device == st.st_dev)
			return 0;
	if (m->count == MAILBOX_VOLUMES_MAX)
		return err_set(err, -EMFILE, "%s: more than %d file systems", path,
			       MAILBOX_VOLUMES_MAX);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s", path);
	m->v[m->count].device = st.st_dev;
	m->v[m->count].fd = fd;
	m->count++;
	return 0;
}

int mailbox_volumes_sync(void *volumes)
{
	const struct mailbox_volumes *m = volumes;
	int r = 0;

	for (unsigned i = 0; i < m->count; i++)
		if (syncfs(m->v[i].fd) < 0 && r == 0)
			r = -errno;
	return r;
}
