/* Bytes of a message, from the segment that holds it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "base/fd.h"
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

int queue_peek(const struct queue_entry *e, struct arena *a, struct envelope *out)
{
	/* Its segment may go while we wait. */
	auto_close int fd = fcntl(e->segment->fd, F_DUPFD_CLOEXEC, 0);
	struct read_job job = {
		.fd = fd,
		.p = arena_alloc(a, e->envelope_length),
		.n = e->envelope_length,
		.offset = (off_t)(e->offset + JOURNAL_RECORD_HEADER),
	};
	struct iovec part = { job.p, job.n };
	uint32_t count = e->recipient_count;

	if (fd < 0)
		return -errno;
	int r = 0;
	if (preadv2(fd, &part, 1, job.offset, RWF_NOWAIT) != (ssize_t)job.n)
		r = work_run(run_read, &job);
	if (r == 0)
		r = envelope_parse(str_of(job.p, job.n), a, out, NULL);
	return r == 0 && out->recipient_count != count ? -EBADMSG : r;
}
