/* One file of the journal: a block with the header, twice, and records from JOURNAL_SEGMENT_START
 * on.
 *
 * The header names the segment before it and says how far that one may be believed: what a
 * failed fdatasync left behind its last good byte was answered with a 4xx and must not come back
 * to life. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"

struct err;
struct journal_io;

#define JOURNAL_SEGMENT_START 4096
#define JOURNAL_NAME_MAX      64

struct journal_segment_header {
	uint64_t number;
	uint64_t salt;
	uint64_t previous;	  /* 0: none */
	uint64_t previous_end;	  /* records behind it are void */
	uint64_t previous_synced; /* up to here it was durable */
};

struct journal_segment {
	struct list link; /* in the journal, by number */
	uint64_t number;
	uint64_t salt;
	int fd;		 /* read only; mailbox workers get it */
	uint64_t end;	 /* of what is known to be durable */
	uint64_t synced; /* less than `end` only where replay found it torn */

	/* For whoever keeps count of what is still needed here. */
	struct list entries;
	uint64_t live_bytes;
	bool retiring;
	bool no_reuse; /* somebody may still be reading it: remove, never overwrite */
};

/* File names: a segment, and a done one that is kept for reuse. parse: false for any other name. */
void journal_segment_name(uint64_t number, char out[JOURNAL_NAME_MAX]);
void journal_spare_name(uint64_t number, char out[JOURNAL_NAME_MAX]);
bool journal_segment_parse_name(const char *name, uint64_t *number);
bool journal_spare_parse_name(const char *name, uint64_t *number);

/* Write the header block at the start of a file. 0 or -errno. */
int must_check journal_segment_write_header(const struct journal_io *io, int fd,
					    const struct journal_segment_header *h,
					    struct err *err);

/* Read whichever copy is sound. 0, -EBADMSG (neither is), or -errno. */
int must_check journal_segment_read_header(const struct journal_io *io, int fd,
					   struct journal_segment_header *out, struct err *err);

struct journal_segment *journal_segment_new(const struct journal_segment_header *h, int fd);
void journal_segment_free(const struct journal_io *io, struct journal_segment *s);
