/* A mailbox kept in one file, so that loading it takes a read and not a pass over its directories.
 *
 * The file begins with a picture of the mailbox: a header, the records as they are in memory, what
 * was expunged, the strings. Behind it stand changes, appended as they happen; when they have
 * become more than the picture the file is written anew. Every part has a checksum; changes that a
 * crash has cut short are dropped. What the file says is true as of its marks (what the mailbox
 * looked like on disk): whoever finds the mailbox looking different compares.
 *
 * Nothing here is synced unless store_index_fd is. Only the mail itself and its flags are
 * precious; a file that is lost or damaged is made again. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/box.h"

struct err;

/* How the mailbox looked on disk; only compared. */
struct store_index_marks {
	uint8_t bytes[80];
};

struct store_index {
	int dirfd; /* borrowed */
	int fd;
	char name[48];
	uint64_t size;	   /* bytes that are valid */
	uint64_t picture;  /* of these, the bytes of the picture */
	uint64_t names_at; /* in the file */
	uint32_t names_crc;
	struct store_index_marks marks; /* as written last, like the rest */
	uint64_t modseq, settled;
	uint32_t uidnext;
	uint32_t generation, puts; /* of the files with facts; store_index_save writes them */
	uint8_t boot[16];	   /* this one of the system */
	uint8_t found_boot[16];	   /* the one in which the file was written */
	unsigned damaged;	   /* bytes at the end that were dropped when it was loaded */
};

#define STORE_INDEX_NONE ((struct store_index){ .dirfd = -1, .fd = -1 })

/* A GUID as the names of a mailbox's files begin, and as people see it. */
void store_guid_text(char out[static 33], const uint8_t guid[16]);

/* The file of the mailbox with this GUID, made when there is none. `boot` comes from
 * store_index_boot_id. -EBUSY: another process has it. */
int must_check store_index_open(struct store_index *ix, int dirfd, const uint8_t guid[16],
				const uint8_t boot[16], struct err *err);
/* Harmless on STORE_INDEX_NONE. */
void store_index_close(struct store_index *ix);

/* Take the mailbox in: records, sums, UIDVALIDITY, the next UID, modseq, removals; the box is
 * empty, but knows its GUID. 1: done; 0: nothing is stored; -EBADMSG: damaged, and *b is to be
 * thrown away; or another error. Tombstones with STORE_REC_FILE are those whose file has yet to be
 * removed. */
int must_check store_index_load(struct store_index *ix, struct store_box *b, struct err *err);

/* Write down what the box has not told yet (store_box_told). `settled`: files of messages that were
 * removed up to this modseq are gone. One write, or a new file when that is due. */
int must_check store_index_write(struct store_index *ix, struct store_box *b,
				 const struct store_index_marks *marks, uint64_t settled,
				 struct err *err);

/* Have changes become so many that reading them would take noticeable time? */
static inline bool store_index_is_long(const struct store_index *ix)
{
	return ix->size - ix->picture > 16384 + ix->picture / 4;
}

/* Write the file anew. */
int must_check store_index_save(struct store_index *ix, struct store_box *b,
				const struct store_index_marks *marks, uint64_t settled,
				struct err *err);

/* The system's boot, from its name or, when that is empty, from the kernel. UIDs that were given
 * shortly before a power cut may be on no disk. */
void store_index_boot_id(uint8_t out[16], struct str name);
