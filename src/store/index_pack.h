/* Private to index: records as the picture has them. Most of a record is what the one before leads
 * one to expect, and is not written: eight bytes for a message instead of 64, so that a large
 * mailbox is read quickly from a cold disk.
 *
 * They come in blocks of INDEX_BLOCK records, each with its size and a checksum (struct
 * index_block), and read without the others. In a block a record is a byte that says which fields
 * are there (enum in index_pack.c) and these as variable-length numbers, seven bits in a byte, the
 * lowest first. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "store/messages.h"

#define INDEX_BLOCK 256

struct index_block {
	uint32_t bytes; /* behind this */
	uint32_t crc;	/* of them */
};

struct index_packer {
	struct buf *out;
	size_t block_at; /* in out */
	uint32_t n;	 /* records of the block */
	struct store_rec before;
};

/* Call it for each record, with ascending UIDs; then end it. `hash` is not kept. */
void index_pack(struct index_packer *p, const struct store_rec *r);
void index_pack_end(struct index_packer *p);

/* Exactly n records from all of the bytes. -EBADMSG. */
int must_check index_unpack(struct str bytes, struct store_rec *v, uint32_t n);
