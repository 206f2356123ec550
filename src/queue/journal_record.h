/* A record of the journal: a header of fixed size, then the payload, then zeros up to a multiple of
 * 8.
 *
 * Every header carries the random salt of its segment. Bodies are written by strangers, and a
 * body may hold a perfect record; without the salt a scan that has lost its place could take it
 * for one of ours. It also tells the records of a recycled segment from what was there before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

#define JOURNAL_RECORD_HEADER 56
#define JOURNAL_RECORD_ALIGN  8

/* Larger than any message that is ever accepted: a length beyond it is damage. */
#define JOURNAL_PAYLOAD_MAX (4ull << 30)

enum journal_type {
	JOURNAL_MESSAGE = 1, /* envelope, head, body */
	JOURNAL_MARKS = 2,   /* struct journal_mark, any number */
	JOURNAL_WAITS = 3,   /* struct journal_wait, any number */
};

struct journal_record {
	enum journal_type type;
	uint64_t salt;
	uint64_t id;		  /* MESSAGE; else 0 */
	uint64_t synced;	  /* the segment was durable up to here when this was written */
	uint64_t length;	  /* of the payload */
	uint32_t envelope_length; /* MESSAGE: the part of the payload before head and body */
	uint32_t recipient_count; /* MESSAGE: in the envelope */
	uint32_t crc;		  /* CRC-32C of the payload */
};

/* Space taken in the segment. */
static inline uint64_t journal_record_size(uint64_t length)
{
	return (JOURNAL_RECORD_HEADER + length + JOURNAL_RECORD_ALIGN - 1) &
	       ~(uint64_t)(JOURNAL_RECORD_ALIGN - 1);
}

void journal_record_write(const struct journal_record *r, char out[JOURNAL_RECORD_HEADER]);

/* False unless it is a sound header of the segment with this salt. */
bool must_check journal_record_parse(const char in[JOURNAL_RECORD_HEADER], uint64_t salt,
				     struct journal_record *out);

#define JOURNAL_MARK_SIZE 16
#define JOURNAL_MARK_ALL  UINT32_MAX /* the whole message is finished */

/* Says nothing of its message: the mark behind it counts only if that one is in the journal. */
#define JOURNAL_MARK_IF (UINT32_MAX - 1)

/* "This recipient needs nothing more, whatever happens": delivered and durable, or refused and the
 * bounce durable. Indexes count the recipients of the envelope. */
struct journal_mark {
	uint64_t id;
	uint32_t recipient;
};

void journal_mark_write(const struct journal_mark *m, char out[JOURNAL_MARK_SIZE]);
struct journal_mark journal_mark_parse(const char in[JOURNAL_MARK_SIZE]);

/* Marks and waits have one size. */
#define JOURNAL_WAIT_SIZE JOURNAL_MARK_SIZE

enum journal_wait_flag {
	JOURNAL_WAIT_HELD = 1,	 /* until a person says otherwise */
	JOURNAL_WAIT_WARNED = 2, /* the sender has been told that it takes long */
};

/* When a message is tried again. The last one counts; without one it is tried at once. */
struct journal_wait {
	uint64_t id;
	uint32_t next; /* seconds since 1970 */
	uint16_t attempts;
	uint16_t flags; /* enum journal_wait_flag, or'ed */
};

void journal_wait_write(const struct journal_wait *w, char out[JOURNAL_WAIT_SIZE]);
struct journal_wait journal_wait_parse(const char in[JOURNAL_WAIT_SIZE]);
