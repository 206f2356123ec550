/* The messages of one loaded mailbox, in memory: compact records in order of UID, found by UID,
 * by position and by name.
 *
 * A removed record stays as a tombstone until enough of them have gathered; only
 * store_messages_pack moves records, and it says so. Record pointers are valid until the next add
 * or pack. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "store/store.h"

enum store_rec_state {
	STORE_REC_GONE = 1 << 0,   /* tombstone */
	STORE_REC_RECENT = 1 << 1, /* no view has claimed it yet */
	STORE_REC_NEW = 1 << 2,	   /* Maildir: the file is in new/ */
	STORE_REC_EXACT = 1 << 3, /* Maildir: the file name's suffix is not what its letters make */
	STORE_REC_EXT = 1 << 4,	  /* Maildir: the UID list has fields for it */
	STORE_REC_FOUND = 1 << 5, /* Maildir: seen by the scan that is running */
	STORE_REC_FILE = 1 << 6,  /* Maildir: a tombstone whose file has yet to be removed */
};

#define STORE_BARE_UNKNOWN UINT32_MAX

/* 64 bytes, the same in the index. Among the names stand the message's name and its NUL, then with
 * STORE_REC_EXACT the suffix and a NUL, then with STORE_REC_EXT the fields and a NUL. */
struct store_rec {
	uint64_t modseq;
	uint64_t size; /* or STORE_UNKNOWN */
	int64_t date;  /* or INT64_MIN */
	uint32_t bare; /* line ends that become longer on the wire, or STORE_BARE_UNKNOWN */
	uint32_t uid;
	uint32_t hash;		/* of the name's part before ','; in the index a checksum */
	uint32_t letters;	/* Maildir: A-Z */
	uint32_t keywords;	/* bits */
	uint32_t file_letters;	/* Maildir: those that the file's name has until it is renamed */
	uint32_t file_keywords; /* the same */
	uint32_t name;		/* where its strings begin */
	uint32_t facts;		/* what the index knows of its contents; 0: nothing */
	uint16_t name_len;
	uint8_t flags; /* enum store_flag */
	uint8_t state;
};

/* As CRLF text, or STORE_UNKNOWN. */
static inline uint64_t store_rec_wire_size(const struct store_rec *r)
{
	return r->size == STORE_UNKNOWN || r->bare == STORE_BARE_UNKNOWN ? STORE_UNKNOWN
									 : r->size + r->bare;
}
void store_rec_set_wire_size(struct store_rec *r, uint64_t wire_size);

/* The strings of all records, one after the other. Those that an index brought stay on disk until
 * one of them is asked for. */
struct store_names {
	char *p;
	size_t used, cap;
	size_t dead;   /* bytes no record needs any more */
	size_t unread; /* this many at the beginning are still on disk */
	int (*read)(void *ctx, char *to, size_t n);
	void *read_ctx;
	bool failed; /* they could not be read: all of these are empty */
};

struct store_messages {
	struct store_rec *v;
	uint32_t n, cap; /* with tombstones */
	uint32_t gone;
	uint32_t *slots; /* hash table: index + 1; tombstones stay in it; made when first needed */
	uint32_t nslots;
	struct store_names *names;
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

/* Take over n records whose strings are the next `bytes` to come from `read` (0, or -Exxx), once
 * they are needed. The table is empty; `v` comes from the heap and belongs to the table from here
 * on. */
struct store_names_source {
	int (*read)(void *ctx, char *to, size_t n);
	void *ctx;
	size_t bytes;
};
void store_messages_adopt(struct store_messages *m, struct store_rec *v, uint32_t n,
			  const struct store_names_source *names);

/* All strings are in memory. 0 or -Exxx. */
int must_check store_messages_read_names(const struct store_messages *m);

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
/* Valid until the next string is added to the table. */
struct str store_rec_name(const struct store_messages *m, const struct store_rec *r);
struct str store_rec_suffix(const struct store_messages *m,
			    const struct store_rec *r); /* with STORE_REC_EXACT */
struct str store_rec_ext(const struct store_messages *m, const struct store_rec *r);
/* All strings of a record as they lie in memory, the NULs included. */
struct str store_rec_all_strings(const struct store_messages *m, const struct store_rec *r);

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

/* A tombstone with this name whose file has yet to be removed, or NULL. */
struct store_rec *store_messages_ghost(const struct store_messages *m, struct str name);

/* A living record whose name begins like this, or NULL; looks at every one. */
struct store_rec *store_messages_by_prefix(const struct store_messages *m, struct str prefix);

/* Drop tombstones without a file and unused names when they have become many, or always with
 * `force`. */
void store_messages_pack(struct store_messages *m, bool force);
