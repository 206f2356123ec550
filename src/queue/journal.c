#include "queue/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "queue/journal_state.h"

static int lock_dir(int dir, struct err *err)
{
	auto_close int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "journal: lock");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, -EBUSY, "journal: in use by another process");
		return err_sys(err, "journal: lock");
	}
	return take_fd(&fd);
}

static void free_scope(struct journal **j)
{
	journal_free(*j);
}

int journal_open(const struct journal_config *config, struct journal **out, struct err *err)
{
	int r = fd_make_dirs(config->dir, 0700, err);
	if (r < 0)
		return r;

	__attribute__((cleanup(free_scope))) struct journal *j = calloc(1, sizeof(*j));
	if (!j)
		check_no_memory();
	j->io = config->io ? config->io : &journal_io_system;
	j->dir = j->lock = j->w.fd = -1;
	j->segment_size = config->segment_size ? config->segment_size : JOURNAL_SEGMENT_SIZE;
	j->segment_size -= j->segment_size % JOURNAL_SECTOR;
	j->reserve = config->reserve ? config->reserve : JOURNAL_RESERVE;
	if (j->reserve > j->segment_size / 8)
		j->reserve = j->segment_size / 8;
	j->spares_max = config->spares < JOURNAL_SPARES_MAX ? config->spares : JOURNAL_SPARES_MAX;
	j->next_number = 1;
	list_init(&j->segments);
	j->w.buffer = malloc(JOURNAL_BUFFER);
	if (!j->w.buffer)
		check_no_memory();

	j->dir = open(config->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0)
		return err_sys(err, "journal: %s", config->dir);
	j->lock = lock_dir(j->dir, err);
	if (j->lock < 0)
		return j->lock;
	*out = take_ptr(&j);
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	LIST_FOREACH_SAFE (it, &j->segments) {
		journal_segment_free(j->io, LIST_ITEM(it, struct journal_segment, link));
	}
	if (j->w.fd >= 0)
		j->io->close(j->w.fd);
	if (j->dir >= 0)
		close(j->dir);
	if (j->lock >= 0)
		close(j->lock);
	free(j->w.buffer);
	free(j);
}

uint64_t journal_append_length(const struct journal_append *a)
{
	uint64_t length = 0;

	for (size_t i = 0; i < a->piece_count; i++)
		length += a->pieces[i].length;
	return length;
}

void journal_batch_init(struct journal_batch *b)
{
	*b = (struct journal_batch){ 0 };
	list_init(&b->appends);
	list_init(&b->loose);
	list_init(&b->retired);
	list_init(&b->opened);
}

/* In the order in which they were written. */
static void note_ends(struct list *appends)
{
	LIST_FOREACH (at, appends) {
		struct journal_append *a = LIST_ITEM(at, struct journal_append, link);
		if (a->result == 0)
			a->segment->end = a->segment->synced =
				a->offset + journal_record_size(journal_append_length(a));
	}
}

void journal_batch_finish(struct journal *j, struct journal_batch *b)
{
	struct list *it;

	while ((it = list_shift(&b->opened)))
		list_append(&j->segments, it);
	/* Back to the front, in their order. */
	while (!list_empty(&b->retired)) {
		it = b->retired.prev;
		list_remove(it);
		LIST_ITEM(it, struct journal_segment, link)->retiring = false;
		list_prepend(&j->segments, it);
	}
	note_ends(&b->loose);
	note_ends(&b->appends);
}

struct list *journal_segments(struct journal *j)
{
	return &j->segments;
}

/* The newest segment is being written, or will tell the next one where it ends. */
static bool is_newest(const struct journal *j, const struct journal_segment *s)
{
	return s->link.next == &j->segments;
}

void journal_collect_retired(struct journal *j, struct list *retired)
{
	while (!list_empty(&j->segments)) {
		struct journal_segment *s =
			LIST_ITEM(j->segments.next, struct journal_segment, link);
		if (!list_empty(&s->entries) || is_newest(j, s))
			return;
		list_remove(&s->link);
		s->retiring = true;
		list_append(retired, &s->link);
	}
}

struct journal_segment *journal_compactable(struct journal *j)
{
	uint64_t used = 0, live = 0, count = 0;

	LIST_FOREACH (it, &j->segments) {
		struct journal_segment *s = LIST_ITEM(it, struct journal_segment, link);
		if (is_newest(j, s))
			break;
		used += s->end - JOURNAL_SEGMENT_START;
		live += s->live_bytes;
		count++;
	}
	if (count < JOURNAL_SEGMENTS_MIN || live > used / 2)
		return NULL;
	return LIST_ITEM(j->segments.next, struct journal_segment, link);
}

uint64_t journal_bytes(const struct journal *j)
{
	uint64_t bytes = 0;

	LIST_FOREACH (it, &j->segments) {
		bytes += LIST_ITEM(it, struct journal_segment, link)->end;
	}
	return bytes;
}
