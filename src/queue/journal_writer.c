/* Writing into the open segment through one buffer of fixed size, so that small records leave in
 * one write and the body of a large one is never in memory as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/rand.h"
#include "queue/journal_state.h"

static int err_io(struct err *err, int r, const struct journal_writer *w, const char *what)
{
	return err_set(err, r, "journal: segment %" PRIx64 ": %s: %s", w->segment->number, what,
		       strerror(-r));
}

static bool can_reuse(const struct journal *j, uint64_t size)
{
	return j->spare_count > 0 && size <= j->segment_size;
}

/* A file under a spare's name that can take `size` bytes: one kept for reuse, or a new one. */
static int open_spare(struct journal *j, uint64_t size, uint64_t *number, struct err *err)
{
	char name[JOURNAL_NAME_MAX];
	bool reuse = can_reuse(j, size);

	*number = reuse ? j->spares[j->spare_count - 1] : j->next_number;
	journal_spare_name(*number, name);
	int flags = O_RDWR | O_CLOEXEC | (reuse ? 0 : O_CREAT | O_TRUNC);
	int fd = j->io->openat(j->dir, name, flags, 0600);
	if (fd < 0)
		return err_sys(err, "journal: %s: open", name);
	if (j->io->fallocate(fd, 0, 0, (off_t)size) < 0) {
		int r = err_sys(err, "journal: %s: allocate %" PRIu64 " bytes", name, size);
		j->io->close(fd);
		if (!reuse)
			j->io->unlinkat(j->dir, name);
		return r;
	}
	return fd;
}

/* Header, name and directory durable, in this order: a segment's name never stands for a file that
 * has no header. */
static int name_segment(struct journal *j, int fd, uint64_t spare,
			const struct journal_segment_header *h, struct err *err)
{
	char from[JOURNAL_NAME_MAX], to[JOURNAL_NAME_MAX];

	int r = journal_segment_write_header(j->io, fd, h, err);
	if (r < 0)
		return r;
	if (j->io->fsync(fd) < 0)
		return err_sys(err, "journal: segment %" PRIx64 ": fsync", h->number);

	journal_spare_name(spare, from);
	journal_segment_name(h->number, to);
	if (j->io->renameat(j->dir, from, to) < 0)
		return err_sys(err, "journal: %s: rename", from);
	if (j->spare_count && j->spares[j->spare_count - 1] == spare)
		j->spare_count--;
	j->dir_dirty = true;
	r = journal_sync_dir(j, err);
	if (r == 0)
		return 0;
	/* After a power cut the new name may be there, and its header ends the open segment where
	 * that ends now: nothing more may be written into it. */
	journal_writer_leave(j);
	j->io->unlinkat(j->dir, to);
	return r;
}

/* The file of a segment that could not be begun: the next attempt makes another. */
static void discard(struct journal *j, uint64_t spare, const struct journal_segment_header *h)
{
	char name[JOURNAL_NAME_MAX];

	if (spare != h->number)
		return; /* kept for reuse before, and still */
	journal_spare_name(spare, name);
	j->io->unlinkat(j->dir, name);
}

static int open_segment(struct journal *j, uint64_t size, const struct journal_segment_header *h,
			struct journal_segment **segment, struct err *err)
{
	char name[JOURNAL_NAME_MAX];
	uint64_t spare;

	/* A spare must not be overwritten while its old name may come back. */
	int r = journal_sync_dir(j, err);
	if (r < 0)
		return r;
	int fd = open_spare(j, size, &spare, err);
	if (fd < 0)
		return fd;
	j->next_number++;

	journal_spare_name(spare, name);
	int reader = j->io->openat(j->dir, name, O_RDONLY | O_CLOEXEC, 0);
	if (reader < 0) {
		r = err_sys(err, "journal: %s: open", name);
		j->io->close(fd);
		discard(j, spare, h);
		return r;
	}
	r = name_segment(j, fd, spare, h, err);
	if (r < 0) {
		j->io->close(reader);
		j->io->close(fd);
		discard(j, spare, h);
		return r;
	}
	*segment = journal_segment_new(h, reader);
	return fd;
}

int journal_writer_begin(struct journal *j, struct journal_batch *b, uint64_t room)
{
	struct journal_writer *w = &j->w;
	uint64_t size = JOURNAL_SEGMENT_START + room + j->reserve + JOURNAL_SECTOR;
	struct journal_segment_header h = {
		.number = j->next_number,
		.salt = rand_u64(),
		.previous = w->segment ? w->segment->number : j->previous,
		.previous_end = w->segment ? w->synced : j->previous_end,
		.previous_synced = w->segment ? w->synced : j->previous_synced,
	};
	struct journal_segment *segment = NULL;

	if (size < j->segment_size)
		size = j->segment_size;
	/* A batch ends with a sector: the last one must not end behind the segment. */
	size = (size + JOURNAL_SECTOR - 1) / JOURNAL_SECTOR * JOURNAL_SECTOR;
	bool reuse = can_reuse(j, size);
	int fd = open_segment(j, size, &h, &segment, &b->err);
	if (fd < 0)
		return fd;

	journal_writer_leave(j);
	w->segment = segment;
	w->fd = fd;
	w->size = size;
	w->tail = w->written = w->synced = JOURNAL_SEGMENT_START;
	w->filled = reuse ? size : JOURNAL_SEGMENT_START;
	w->used = 0;
	list_append(&b->opened, &segment->link);
	return 0;
}

void journal_writer_leave(struct journal *j)
{
	struct journal_writer *w = &j->w;

	if (!w->segment)
		return;
	/* Gives unused space back; where it fails, the next header says the same. */
	if (w->size - w->synced > j->segment_size / 4 || w->tail != w->synced)
		(void)!j->io->ftruncate(w->fd, (off_t)w->synced);
	j->io->close(w->fd);
	j->previous = w->segment->number;
	j->previous_end = j->previous_synced = w->synced;
	w->segment = NULL;
	w->fd = -1;
	w->used = 0;
}

uint64_t journal_writer_room(const struct journal *j)
{
	const struct journal_writer *w = &j->w;

	return w->size - w->tail - JOURNAL_SECTOR;
}

static int flush(struct journal *j, struct err *err)
{
	struct journal_writer *w = &j->w;

	int r = journal_io_write_all(j->io, w->fd, w->buffer, w->used, (off_t)w->written);
	if (r < 0)
		return err_io(err, r, w, "write");
	w->written += w->used;
	w->used = 0;
	return 0;
}

static int put(struct journal *j, const void *p, size_t n, struct err *err)
{
	struct journal_writer *w = &j->w;

	while (n) {
		size_t part = JOURNAL_BUFFER - w->used;
		if (part > n)
			part = n;
		memcpy(w->buffer + w->used, p, part);
		w->used += part;
		w->tail += part;
		p = (const char *)p + part;
		n -= part;
		if (w->used == JOURNAL_BUFFER) {
			int r = flush(j, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int put_zeros(struct journal *j, size_t align, struct err *err)
{
	static const char zeros[JOURNAL_SECTOR];
	size_t rest = j->w.tail % align;

	return rest ? put(j, zeros, align - rest, err) : 0;
}

/* The piece's bytes go from the file into the buffer without another copy. */
static int put_file(struct journal *j, const struct journal_piece *piece, uint32_t *crc,
		    struct err *err)
{
	struct journal_writer *w = &j->w;
	uint64_t at = piece->offset, left = piece->length;

	while (left) {
		size_t part = JOURNAL_BUFFER - w->used;
		if (part > left)
			part = (size_t)left;
		char *to = w->buffer + w->used;
		int r = journal_io_read_all(j->io, piece->fd, to, part, (off_t)at);
		if (r < 0) {
			err_set(err, r, "journal: read message: %s", strerror(-r));
			return -ECOMM;
		}
		*crc = crc32c(*crc, to, part);
		w->used += part;
		w->tail += part;
		at += part;
		left -= part;
		if (w->used == JOURNAL_BUFFER)
			r = flush(j, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_payload(struct journal *j, const struct journal_append *a, uint32_t *crc,
		       struct err *err)
{
	*crc = 0;
	for (size_t i = 0; i < a->piece_count; i++) {
		const struct journal_piece *piece = &a->pieces[i];
		int r;

		if (piece->fd >= 0) {
			r = put_file(j, piece, crc, err);
		} else {
			*crc = crc32c(*crc, piece->bytes.p, piece->bytes.n);
			r = put(j, piece->bytes.p, piece->bytes.n, err);
		}
		if (r < 0)
			return r;
	}
	if (a->is_copy && *crc != a->copy_crc) {
		err_set(err, -EBADMSG, "journal: the message to copy is damaged");
		return -ECOMM;
	}
	return 0;
}

/* The header comes last and belongs before the payload, which may have left the buffer already. */
static int put_header(struct journal *j, uint64_t start, const struct journal_record *record,
		      struct err *err)
{
	struct journal_writer *w = &j->w;
	char header[JOURNAL_RECORD_HEADER];

	journal_record_write(record, header);
	/* The buffer may have been flushed in the middle of it. */
	uint64_t end = start + JOURNAL_RECORD_HEADER;
	if (end > w->written) {
		uint64_t from = start > w->written ? start : w->written;
		memcpy(w->buffer + (from - w->written), header + (from - start), end - from);
	}
	if (start >= w->written)
		return 0;
	uint64_t flushed = end < w->written ? end : w->written;
	int r = journal_io_write_all(j->io, w->fd, header, flushed - start, (off_t)start);
	return r < 0 ? err_io(err, r, w, "write header") : 0;
}

/* Back to where the record began. What was flushed of it has no header, and is overwritten. */
static void rewind_to(struct journal_writer *w, uint64_t start)
{
	if (start >= w->written) {
		w->used = start - w->written;
	} else {
		w->used = 0;
		w->written = start;
	}
	w->tail = start;
}

int journal_writer_put(struct journal *j, struct journal_append *a, struct err *err)
{
	struct journal_writer *w = &j->w;
	static const char no_header[JOURNAL_RECORD_HEADER];
	uint64_t start = w->tail;
	struct journal_record record = {
		.type = a->type,
		.salt = w->segment->salt,
		.id = a->id,
		.synced = w->synced,
		.length = journal_append_length(a),
		.envelope_length = a->envelope_length,
		.recipient_count = a->recipient_count,
	};

	int r = put(j, no_header, sizeof(no_header), err);
	if (r == 0)
		r = put_payload(j, a, &record.crc, err);
	if (r == 0)
		r = put_zeros(j, JOURNAL_RECORD_ALIGN, err);
	if (r == 0)
		r = put_header(j, start, &record, err);
	if (r == -ECOMM)
		rewind_to(w, start);
	a->crc = record.crc;
	return r;
}

/* Where a file has blocks that were never written, a sync has to write down that they are now, too.
 * Small batches share that: one of them fills blocks for those that follow. A large one shares it
 * among its own. Failure costs nothing but this. */
static void fill_ahead(struct journal *j)
{
	static char zeros[1 << 16]; /* only read: takes no memory */
	struct journal_writer *w = &j->w;

	if (w->tail <= w->filled || w->tail - w->synced > JOURNAL_FILL / 8)
		return;
	w->filled = w->tail + JOURNAL_FILL < w->size ? w->tail + JOURNAL_FILL : w->size;
	for (uint64_t at = w->tail; at < w->filled; at += sizeof(zeros)) {
		size_t n = w->filled - at < sizeof(zeros) ? w->filled - at : sizeof(zeros);
		if (journal_io_write_all(j->io, w->fd, zeros, n, (off_t)at) < 0)
			return;
	}
}

int journal_writer_flush(struct journal *j, struct err *err)
{
	/* Whole sectors: the next batch never rewrites one that holds acknowledged mail. */
	int r = put_zeros(j, JOURNAL_SECTOR, err);

	return r < 0 ? r : flush(j, err);
}

int journal_writer_sync(struct journal *j, struct err *err)
{
	struct journal_writer *w = &j->w;

	int r = journal_writer_flush(j, err);
	if (r < 0)
		return r;
	fill_ahead(j);
	if (j->io->fdatasync(w->fd) < 0)
		return err_io(err, -errno, w, "fdatasync");
	w->synced = w->tail;
	return 0;
}
