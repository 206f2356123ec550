/* Bytes of a message, from the segment that holds it. */
#include <sys/uio.h>

#include "core/work.h"
#include "queue/journal_io.h"
#include "queue/queue_state.h"

struct read_job {
	int fd;
	void *p;
	size_t n;
	off_t offset;
};

static int run_read(void *arg)
{
	const struct read_job *job = arg;

	return journal_io_read_all(&journal_io_system, job->fd, job->p, job->n, job->offset);
}

int queue_read(const struct queue_entry *e, uint64_t offset, size_t n, char *p)
{
	struct read_job job = { .fd = e->segment->fd, .p = p, .n = n, .offset = (off_t)offset };
	struct iovec part = { p, n };

	/* While it is active the entry keeps its place, and the place its segment. */
	check(e->active);
	/* Fresh mail is in the page cache and is read at once; only what must come from the disk
	 * takes the way through a thread. */
	if (preadv2(job.fd, &part, 1, job.offset, RWF_NOWAIT) == (ssize_t)n)
		return 0;
	return work_run(run_read, &job);
}
