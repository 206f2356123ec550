/* What the files of the journal share. */
#pragma once

#include "queue/journal.h"
#include "queue/journal_io.h"

#define JOURNAL_RESERVE (256u << 10)
#define JOURNAL_BUFFER	(1u << 20)
#define JOURNAL_SECTOR	512

/* So many bytes of a new segment are filled with zeros at once. */
#define JOURNAL_FILL (512u << 10)

/* Two full segments may lie dead before anything is moved. */
#define JOURNAL_SEGMENTS_MIN 4

/* The segment being written; the committing thread's own. */
struct journal_writer {
	struct journal_segment *segment; /* NULL: the next append begins one */
	int fd;
	uint64_t size;	  /* allocated */
	uint64_t tail;	  /* end of the records, flushed or in the buffer */
	uint64_t written; /* file offset of the buffer's first byte */
	uint64_t synced;  /* durable up to here */
	uint64_t filled;  /* blocks up to here have been written once, be it with zeros */
	char *buffer;
	size_t used;
};

struct journal {
	const struct journal_io *io;
	int dir;
	int lock;
	uint64_t segment_size, reserve;
	unsigned spares_max;

	struct list segments; /* loop side */

	/* The committing thread's own. */
	struct journal_writer w;
	uint64_t next_number;
	uint64_t previous, previous_end, previous_synced;
	uint64_t spares[8]; /* numbers of the files kept for reuse */
	unsigned spare_count;
	bool dir_dirty; /* a name changed and the directory is not synced yet */
};

#define JOURNAL_SPARES_MAX ARRAY_LEN(((struct journal *)0)->spares)

/* Begin a segment with room for `room` bytes of records and leave the one that is open, if any,
 * which is synced. 0, or -errno and nothing has changed. */
int must_check journal_writer_begin(struct journal *j, struct journal_batch *b, uint64_t room);

/* Leave the open segment: nothing behind what was synced counts. */
void journal_writer_leave(struct journal *j);

/* Put a record behind the others, without making it durable. 0; -ECOMM when the source of a piece
 * failed (the reason is in err; the writer is as before); any other -errno when the segment did. */
int must_check journal_writer_put(struct journal *j, struct journal_append *a, struct err *err);

/* Hand everything to the kernel. */
int must_check journal_writer_flush(struct journal *j, struct err *err);

/* Make everything durable. */
int must_check journal_writer_sync(struct journal *j, struct err *err);

/* Free bytes for records of the open segment. */
uint64_t journal_writer_room(const struct journal *j);

/* fsync the directory when names in it have changed. */
int must_check journal_sync_dir(struct journal *j, struct err *err);

/* Remove or recycle the segments of a list from its front; stops at the first failure. */
int must_check journal_retire(struct journal *j, struct list *retired, struct err *err);
