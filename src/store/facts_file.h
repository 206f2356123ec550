/* Where the facts of a mailbox's messages (mime/facts.h) are kept: two files beside its index, one
 * for the hot blobs and one for the cold, to which both only append. A record of the mailbox says
 * where its facts are; that place, the UID and a checksum have to agree, so that what a crash or a
 * fault of the disk has left there is never taken for somebody's facts. What cannot be read is made
 * again from the message. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "mime/facts.h"

struct err;

/* A file, what was read of it last, and what is still to be written to it. */
struct facts_side {
	int fd; /* -1: not open */
	uint64_t size;
	struct buf out; /* its end, not written yet */
	char *window;
	uint64_t window_at;
	size_t window_n, window_next; /* bytes there; how many to read the next time */
};

struct facts_files {
	int dirfd; /* borrowed; -1: nothing is kept */
	uint8_t guid[16];
	uint32_t generation;
	uint32_t puts; /* how many were kept in this generation, the dead included */
	struct facts_side hot, cold;
	bool failed; /* a write failed: nothing more is kept until the mailbox is loaded anew */
};

/* Opens nothing yet. */
void facts_files_init(struct facts_files *f, int dirfd, const uint8_t guid[16],
		      uint32_t generation);
/* Write what is to be written, close the files, give back their memory. Usable again. */
void facts_files_rest(struct facts_files *f);

/* Keep the facts of a message that came into the mailbox at `saved`: where they will be, 0 when
 * they cannot be kept. */
uint32_t facts_files_put(struct facts_files *f, uint32_t uid, const struct mime_facts *facts,
			 int64_t saved);
/* Everything put so far is in the files, if not on the disk: before an index says where it is. */
void facts_files_flush(struct facts_files *f);

/* The blobs, valid until the next call. 0, or -ENOENT: nothing is there that could be used. */
int must_check facts_files_hot(struct facts_files *f, uint32_t place, uint32_t uid,
			       struct mime_facts *out);
int must_check facts_files_all(struct facts_files *f, uint32_t place, uint32_t uid,
			       struct mime_facts *out);

/* When the message came into the mailbox, or INT64_MIN. */
int64_t facts_files_saved(struct facts_files *f, uint32_t place, uint32_t uid);

/* Bytes of both files. */
uint64_t facts_files_size(struct facts_files *f);
/* Remove the files of this generation. */
void facts_files_remove(struct facts_files *f);
