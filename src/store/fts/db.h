/* One full-text index: an SQLite file with an FTS5 table of trigrams. All calls block; each
 * database is used by one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "store/fts.h"

struct sqlite3;
struct sqlite3_stmt;

struct fts_db {
	struct sqlite3 *sql;
	struct sqlite3_stmt *add_text, *add_id, *has_id;
};

/* Open it, or make it when `create`. -ENOENT: there is none, or it is of another version; -EBADMSG:
 * it is damaged (or, with `create`, of another version), here and below. */
int must_check fts_db_open(struct fts_db *d, const char *path, bool create, struct err *err);
/* NULL in it is fine. */
void fts_db_close(struct fts_db *d);

/* Changes between these are kept together or not at all. */
int must_check fts_db_begin(struct fts_db *d, struct err *err);
int must_check fts_db_commit(struct fts_db *d, struct err *err);

/* 1, 0. */
int must_check fts_db_has(struct fts_db *d, int64_t id, struct err *err);

struct fts_text {
	int64_t id;
	struct str head, body; /* folded */
	bool cut;	       /* there is more of it */
};
int must_check fts_db_add(struct fts_db *d, const struct fts_text *t, struct err *err);

/* The highest UID up to which the messages of a mailbox are in. */
int must_check fts_db_box(struct fts_db *d, const uint8_t guid[16], uint32_t *uid, struct err *err);
int must_check fts_db_set_box(struct fts_db *d, const uint8_t guid[16], uint32_t uid,
			      struct err *err);

int must_check fts_db_marks(struct fts_db *d, struct arena *a, struct fts_marks *out,
			    struct err *err);
/* No longer to be used: for fts_db_open it is of another version from now on. */
int must_check fts_db_retire(struct fts_db *d, struct err *err);

int must_check fts_db_known(struct fts_db *d, struct arena *a, struct fts_known *out,
			    struct err *err);
int must_check fts_db_find(struct fts_db *d, const struct fts_query *q, struct arena *a,
			   struct fts_ids *out, struct err *err);

/* Some of the work of making the index one piece, which doubles the speed of a search; `first`
 * begins it. 1: there is more to do, 0. */
int must_check fts_db_merge(struct fts_db *d, bool first, struct err *err);

/* Bytes of the file, and the removal of it. */
uint64_t fts_db_size(const char *path);
void fts_db_remove(const char *path);
