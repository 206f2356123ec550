#include "core/volume_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/work.h"

#define LOOK_MS 60000

/* A file system. Syncs of it are counted; one that begins after a write makes it durable. */
struct volume {
	struct list node;
	dev_t device;
	int fd; /* stays open: syncfs tells of what went wrong since then */
	uint64_t begun, ended;
	uint64_t failed; /* the last that failed */
	int error;
	bool running;
	struct waitq waiters;
};

static struct list volumes = { &volumes, &volumes };

/* NULL with errno. */
static struct volume *volume_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	LIST_FOREACH (it, &volumes) {
		struct volume *known = LIST_ITEM(it, struct volume, node);
		if (known->device == st.st_dev)
			return known;
	}
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return NULL;
	struct volume *v = calloc(1, sizeof(*v));
	if (!v)
		check_no_memory();
	v->device = st.st_dev;
	v->fd = own;
	waitq_init(&v->waiters);
	list_append(&volumes, &v->node);
	return v;
}

static int run_sync(void *volume)
{
	const struct volume *v = volume;

	return syncfs(v->fd) < 0 ? -errno : 0;
}

static void may_suspend sync_now(struct volume *v)
{
	v->running = true;
	uint64_t own = ++v->begun;
	int r = work_run(run_sync, v);
	v->running = false;
	v->ended = own;
	if (r < 0) {
		v->failed = own;
		v->error = r;
	}
	waitq_wake_all(&v->waiters);
}

int volume_sync(int fd)
{
	struct volume *v = volume_of(fd);

	if (!v)
		return -errno;
	uint64_t wanted = v->begun + 1;
	while (v->ended < wanted) {
		if (!v->running)
			sync_now(v);
		else if (waitq_wait(&v->waiters, "sync", loop_deadline(LOOK_MS)) == -ECANCELED)
			return -ECANCELED;
	}
	return v->failed >= wanted ? v->error : 0;
}
