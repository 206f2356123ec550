/* Private to index: the file's layout. Numbers are the machine's own; a file from a machine of the
 * other byte order has another magic number and is made again. */
#pragma once

#include <stdint.h>

#include "store/index.h"

#define INDEX_MAGIC   0x5849485050484958ull
#define INDEX_VERSION 4

struct index_header {
	uint64_t magic;
	uint32_t version;
	uint32_t crc; /* of the header with 0 here */
	uint8_t guid[16];
	uint8_t boot[16];
	struct store_index_marks marks;
	uint64_t modseq, settled, gone_from;
	uint64_t records_bytes, names_bytes;
	uint32_t names_crc;
	uint32_t gone_crc;
	uint32_t uidvalidity, uidnext;
	uint32_t generation; /* of the files with facts */
	uint32_t puts;	     /* how many are in them, the dead included */
	uint32_t records;    /* index_pack.h */
	uint32_t gone;	     /* struct index_gone */
};

/* A removal; the highest bit of modseq: their files were still there. */
struct index_gone {
	uint64_t modseq;
	uint32_t first, last;
};
#define INDEX_GONE_FILE ((uint64_t)1 << 63)

/* All messages of a range have these marks now. */
struct index_run {
	uint64_t modseq;
	uint32_t first, last;
	uint32_t letters, keywords;
	uint32_t file_letters, file_keywords;
	uint32_t flags, state;
};

/* One write: what changed, followed by `added` records, `changed` records (struct store_rec, `hash`
 * is the checksum of the rest), runs, removals and the strings of the added records. */
struct index_change {
	uint32_t bytes; /* behind this header */
	uint32_t crc;	/* of all, with 0 here */
	uint64_t modseq, settled;
	uint8_t boot[16];
	struct store_index_marks marks;
	uint32_t uidnext;
	uint32_t added, changed, runs, gone;
	uint32_t names_bytes;
};

_Static_assert(sizeof(struct index_header) % 8 == 0 && sizeof(struct index_change) % 8 == 0 &&
		       sizeof(struct index_run) == 40 && sizeof(struct index_gone) == 16,
	       "no padding that would be written uninitialised");

/* State bits that mean something in another process. */
#define INDEX_STATE                                                                                \
	(STORE_REC_GONE | STORE_REC_RECENT | STORE_REC_NEW | STORE_REC_EXACT | STORE_REC_EXT |     \
	 STORE_REC_FILE)

#define INDEX_MAX_BYTES ((uint64_t)1 << 33)
