/* How the blobs of mime/facts.h are laid out; for facts.c and facts_make.c alone. All numbers are
 * little-endian.
 *
 * 	hot	version u8, flags u8, size u16, present u16, missing u16, sent i64, zone i16,
 * 		nrefs u16, id u64, (offset u16, size u16) per key, reference u64 each, texts
 * 	cold	version u8, missing u8, 0 u16, size u32, size u32 per section, sections
 *
 * A text that is part of another is kept once: most sort keys are part of a search key.
 *
 * 	extensions	(from u32, to u32): what of BODYSTRUCTURE is not in BODY
 * 	parts		varints per part: kind | encoding << 2, depth, offset of the header from the
 * 			body of the part before it, size and bare LFs of the header, the
 * 			same of the body, which begins where the header ends
 * 	fields		id u8, size u16, the field's lines */
#pragma once

#include <string.h>

#include "base/buf.h"
#include "mime/facts.h"

enum facts_hot_at {
	HOT_VERSION = 0,
	HOT_FLAGS = 1,
	HOT_SIZE = 2,
	HOT_PRESENT = 4,
	HOT_MISSING = 6,
	HOT_SENT = 8,
	HOT_ZONE = 16,
	HOT_NREFS = 18,
	HOT_ID = 20,
	HOT_KEYS = 28,
	HOT_REFS = HOT_KEYS + 4 * MIME_FACTS_KEYS,
};

enum facts_cold_at {
	COLD_VERSION = 0,
	COLD_MISSING = 1, /* bit per section */
	COLD_SIZE = 4,
	COLD_SIZES = 8,
	COLD_DATA = COLD_SIZES + 4 * MIME_FACTS_SECTIONS,
};

#define FACTS_EXTENSION_SIZE 8
#define FACTS_FIELD_HEAD     3 /* id and size */

/* The number of a field that is kept, or -1. */
int facts_field_id(struct str name);

static inline uint64_t facts_get(const char *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return v;
}

static inline uint16_t facts_u16(struct str s, size_t at)
{
	return (uint16_t)facts_get(s.p + at, 2);
}

static inline uint32_t facts_u32(struct str s, size_t at)
{
	return (uint32_t)facts_get(s.p + at, 4);
}

static inline uint64_t facts_u64(struct str s, size_t at)
{
	return facts_get(s.p + at, 8);
}

static inline void facts_put(struct buf *b, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_putc(b, (char)(v >> (8 * i)));
}

static inline void facts_put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(0x80 | (v & 0x7f)));
	buf_putc(b, (char)v);
}
