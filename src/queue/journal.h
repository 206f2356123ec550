/* The journal: the only place where it is decided that accepted mail is safe. A directory of
 * append-only segment files; see README.md for every byte and every failure.
 *
 * Everything here blocks. The queue service runs journal_commit in the worker pool, one at a
 * time, and calls the functions marked "loop side" from its loop; those touch only the list of
 * segments and never the disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "queue/journal_record.h"
#include "queue/journal_segment.h"

struct journal;
struct journal_io;

#define JOURNAL_SEGMENT_SIZE (16u << 20)

struct journal_config {
	const char *dir;	     /* is created when missing */
	const struct journal_io *io; /* NULL: the system's */
	uint64_t segment_size;	     /* 0: the default. Soft: one message may be larger */
	uint64_t reserve; /* at the end of a segment, for marks on a full disk; 0: 256 KiB */
	unsigned spares;  /* done segments kept for reuse: overwriting syncs twice as fast */
};

/* Lock the directory and look at what is in it. 0, -EBUSY (another process has it), -errno. */
int must_check journal_open(const struct journal_config *config, struct journal **out,
			    struct err *err);

/* NULL is fine. Entries must have left their segments. */
void journal_free(struct journal *j);

/* What was found in a segment that is not a record. */
struct journal_damage {
	uint64_t segment, offset, length;
	bool torn; /* never acknowledged: the power went before its fdatasync */
	char kept
		[JOURNAL_NAME_MAX]; /* the copy in the directory; empty when it could not be made */
};

struct journal_visitor {
	/* In the order of the log. The payload is not verified: see journal_verify. A message that
	 * comes twice was moved: the later place counts if it is sound, else the earlier one; the
	 * power may have gone in the middle of the move. */
	void (*message)(void *ctx, const struct journal_record *r, struct journal_segment *s,
			uint64_t offset);
	void (*mark)(void *ctx, const struct journal_mark *m);
	void (*wait)(void *ctx, const struct journal_wait *w);
	void (*damage)(void *ctx, const struct journal_damage *d);
};

/* Read every segment, once, before the first commit. Unsound stretches are copied aside,
 * reported and stepped over. 0, or -errno when the directory itself fails. */
int must_check journal_replay(struct journal *j, const struct journal_visitor *v, void *ctx,
			      struct err *err);

/* Is this record intact to its last byte? 0 with *out filled, -EBADMSG, or -errno. */
int must_check journal_verify(const struct journal *j, const struct journal_segment *s,
			      uint64_t offset, struct journal_record *out, struct err *err);

/* Copy bytes that cannot be used to a file "damaged-…" of the directory. False when that copy
 * exists already: it was reported before. */
bool journal_keep_damaged(const struct journal *j, const struct journal_segment *s,
			  struct journal_damage *d);

/* A part of a payload: bytes in memory, or (fd >= 0) `length` bytes of a file from `offset` on. */
struct journal_piece {
	int fd;
	struct str bytes;
	uint64_t offset, length;
};

#define JOURNAL_PIECES_MAX 3

static inline struct journal_piece journal_piece_bytes(struct str s)
{
	return (struct journal_piece){ .fd = -1, .bytes = s, .length = s.n };
}

static inline struct journal_piece journal_piece_file(int fd, uint64_t offset, uint64_t length)
{
	return (struct journal_piece){ .fd = fd, .offset = offset, .length = length };
}

#define JOURNAL_WRITTEN 1

/* One record to write. */
struct journal_append {
	struct list link;
	enum journal_type type;
	uint64_t id;
	uint32_t envelope_length, recipient_count;
	struct journal_piece pieces[JOURNAL_PIECES_MAX];
	size_t piece_count;
	bool relaxed; /* nobody waits until it is durable: it need not be synced for its own sake */
	bool is_copy; /* of a record whose payload has this CRC; anything else is -EBADMSG */
	uint32_t copy_crc;

	/* After the commit: 0 and the place, durable; or -errno and nothing was written that
	 * counts. JOURNAL_WRITTEN, of a relaxed one: it outlives the process, and gets its result
	 * by a later commit, in whose `loose` it has to be. */
	int result;
	struct journal_segment *segment;
	uint64_t offset;
	uint32_t crc; /* of the payload */
};

uint64_t journal_append_length(const struct journal_append *a);

/* What one commit does: write the appends, in order, make them durable, then dispose of
 * segments. */
struct journal_batch {
	struct list appends; /* struct journal_append */
	struct list loose;   /* those of earlier commits that are written only */
	bool sync;	     /* make all of them durable in any case */
	struct list retired; /* struct journal_segment, oldest first */
	struct list opened;  /* out: segments begun */
	unsigned syncs;	     /* out: of segments, for metrics */
	struct err err;	     /* out: a failure; code 0 when there was none */

	int no_room; /* why a segment for a record of no_room_for bytes could not be had */
	uint64_t no_room_for;
};

void journal_batch_init(struct journal_batch *b);

/* Run in one thread at a time. Results are in the appends. */
void journal_commit(struct journal *j, struct journal_batch *b);

/* Loop side, after each journal_commit: take over new segments, give back those that could not be
 * removed. */
void journal_batch_finish(struct journal *j, struct journal_batch *b);

/* Loop side: the segments, oldest first (struct journal_segment.link). */
struct list *journal_segments(struct journal *j);

/* Loop side: take the oldest segments that nobody needs out of the list, to be retired by the next
 * commit. Only ever the oldest: a later one may hold the marks of an earlier one's messages. */
void journal_collect_retired(struct journal *j, struct list *retired);

/* Loop side: the oldest segment when rewriting what is live in it pays: there is more dead than
 * live matter behind it. NULL when not. */
struct journal_segment *journal_compactable(struct journal *j);

/* Loop side: bytes of all segments. */
uint64_t journal_bytes(const struct journal *j);
