/* The messages of one loaded mailbox, in memory: compact records in order of UID, found by UID,
 * by position and by name.
 *
 * A removed record stays as a tombstone until enough of them have gathered; only
 * store_messages_pack moves records, and it says so. Record pointers are valid until the next add
 * or pack. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum store_rec_state {
	STORE_REC_GONE = 1 << 0,   /* tombstone */
	STORE_REC_RECENT = 1 << 1, /* no view has claimed it yet */
	STORE_REC_NEW = 1 << 2,	   /* Maildir: the file is in new/ */
	STORE_REC_EXACT = 1 << 3, /* Maildir: the file name's suffix is not what the letters make */
	STORE_REC_EXT = 1 << 4,	  /* Maildir: the UID list has fields for it */
	STORE_REC_FOUND = 1 << 5, /* Maildir: seen by the scan that is running */
};

/* 64 bytes. `name` is followed by its NUL, then with STORE_REC_EXACT by the suffix and a NUL,
 * then with STORE_REC_EXT by the fields and a NUL. */
struct store_rec {
	const char *name;
	uint64_t modseq;
	uint64_t size, wire_size; /* or STORE_UNKNOWN */
	int64_t date;		  /* or INT64_MIN */
	uint32_t uid;
	uint32_t hash;	   /* of the name's part before ',' */
	uint32_t letters;  /* Maildir: A-Z */
	uint32_t keywords; /* bits */
	uint16_t name_len;
	uint8_t flags; /* enum store_flag */
	uint8_t state;
};

struct store_messages {
	struct store_rec *v;
	uint32_t n, cap; /* with tombstones */
	uint32_t gone;
	uint32_t *slots; /* hash table: index + 1; tombstones stay in it */
	uint32_t nslots;
	struct arena names;
	uint32_t unseen, deleted, recent; /* of the living */
	uint64_t bytes;			  /* their wire sizes, as far as known */
};

void store_messages_init(struct store_messages *m);
void store_messages_done(struct store_messages *m);

static inline uint32_t store_messages_count(const struct store_messages *m)
{
	return m->n - m->gone;
}

/* Heap held: what an idle mailbox costs. */
size_t store_messages_memory(const struct store_messages *m);

/* Append a record; uid is larger than all there. The strings are copied; suffix and ext may be
 * empty (the suffix of a file that has none is empty too: `exact` tells). */
struct store_rec_strings {
	struct str name, suffix, ext;
	bool exact;
};
struct store_rec *store_messages_add(struct store_messages *m, const struct store_rec *rec,
				     const struct store_rec_strings *s);

/* Replace the suffix that is kept beside the name; exact == false: it is what the letters make. */
void store_messages_set_suffix(struct store_messages *m, struct store_rec *r, struct str suffix,
			       bool exact);
struct str store_rec_name(const struct store_rec *r);
struct str store_rec_suffix(const struct store_rec *r); /* with STORE_REC_EXACT */
struct str store_rec_ext(const struct store_rec *r);

/* Change what the sums depend on. */
void store_messages_set_flags(struct store_messages *m, struct store_rec *r, uint8_t flags);
void store_messages_set_sizes(struct store_messages *m, struct store_rec *r, uint64_t size,
			      uint64_t wire_size);
void store_messages_set_recent(struct store_messages *m, struct store_rec *r, bool recent);
void store_messages_remove(struct store_messages *m, struct store_rec *r);

/* Index of the first record with at least this UID (n when there is none); may be a tombstone. */
uint32_t store_messages_from_uid(const struct store_messages *m, uint32_t uid);
/* The living record with this UID, or NULL. */
struct store_rec *store_messages_by_uid(const struct store_messages *m, uint32_t uid);
/* The same, after trying index `hint` first; leaves the index there. */
struct store_rec *store_messages_by_uid_near(const struct store_messages *m, uint32_t uid,
					     uint32_t *hint);

/* The living record with this name, or NULL; `unique` compares only the part before ','. */
struct store_rec *store_messages_by_name(const struct store_messages *m, struct str name);
struct store_rec *store_messages_by_unique(const struct store_messages *m, struct str unique);

/* A living record whose name begins like this, or NULL; looks at every one. */
struct store_rec *store_messages_by_prefix(const struct store_messages *m, struct str prefix);

/* Drop tombstones and unused names when they have become many, or always with `force`. */
void store_messages_pack(struct store_messages *m, bool force);
