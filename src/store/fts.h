/* Full-text indexes: which messages of an account contain a text. One SQLite file per account, kept
 * beside the mail and made again whenever it is missing or damaged; everything in it can be had by
 * reading the mail, only slower.
 *
 * A message is known by a hash of its GUID, so that it stays indexed wherever it is moved or
 * copied. Messages are added in the background by one fiber of the process, some at a time, when
 * no mail comes in; those that are not in yet a search has to read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;
struct fts;
struct store_pool;

enum fts_report_kind {
	FTS_DAMAGED,  /* an index is thrown away and made again */
	FTS_PROGRESS, /* many messages are being added: so many of so many are done */
	FTS_FAILED,   /* adding failed; it will be tried again */
};

struct fts_report {
	enum fts_report_kind kind;
	const char *account; /* path of its mail */
	const char *reason;  /* of DAMAGED and FAILED */
	uint64_t done, total;
};

struct fts_settings {
	struct str root;      /* a directory for indexes */
	struct str mail_root; /* accounts are <mail_root>/<domain>/<user> */
	struct store_pool *pool;
	void (*report)(const struct fts_report *r);
	int64_t calm_ms; /* wait so long after mail came in */
};

/* Never fails; the strings are copied. */
struct fts *fts_new(const struct fts_settings *set);
/* The fiber that runs fts_main has ended. NULL is fine. */
void fts_free(struct fts *f);

/* The fiber that adds messages: runs until it is cancelled. */
void may_suspend fts_main(void *fts);

/* There may be messages to add. */
enum fts_notice_kind {
	FTS_ADDED, /* mail came in: it is added when there is calm */
	FTS_USED,  /* by a session */
	FTS_LACKS, /* a search had to read a message */
};
void fts_notice(struct fts *f, struct str mail_path, enum fts_notice_kind kind);

/* For programs beside the server: how far the index of an account has come. These block. */

/* The file of the account whose mail is at `mail_path`, in `a`. */
const char *fts_file(struct str root, struct str mail_path, struct arena *a);

struct fts_mark {
	uint8_t box[16]; /* store_status.guid */
	uint32_t uid;	 /* what is in the mailbox up to here is in the index */
};
struct fts_marks {
	struct fts_mark *v;
	size_t n;
};
/* In `a`. 0; -ENOENT when there is none; -EBADMSG when it is damaged; another failure. */
int must_check fts_marks(const char *file, struct arena *a, struct fts_marks *out, struct err *err);
/* 0 for a mailbox that is not begun. */
uint32_t fts_marks_uid(const struct fts_marks *m, const uint8_t box[16]);

/* The server makes it again. Searches read the mail until then. None is success. */
int must_check fts_retire(const char *file, struct err *err);

/* What stands for a message. */
int64_t fts_id(struct str guid);

/* Messages, ascending. */
struct fts_ids {
	int64_t *v;
	size_t n;
};
bool fts_ids_has(const struct fts_ids *ids, int64_t id);

/* Texts that an index cannot find: shorter than three characters, or with control characters. */
bool fts_can_find(struct str folded);

/* Which messages are indexed (those of which only the beginning is are in both lists). 0, or
 * -ENOENT when there is no index. In a worker thread. */
struct fts_known {
	struct fts_ids all, cut;
};
int may_suspend must_check fts_known(struct fts *f, struct str mail_path, struct arena *a,
				     struct fts_known *out);

/* Which of them contain a folded text in their bodies, or there and in their headers. */
struct fts_query {
	struct str text;
	bool heads;
};
int may_suspend must_check fts_find(struct fts *f, struct str mail_path, const struct fts_query *q,
				    struct arena *a, struct fts_ids *out);
/* Longer texts are found by their beginning: those messages may contain them. */
#define FTS_EXACT_MAX ((size_t)100)
