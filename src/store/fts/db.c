#include "store/fts/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

#define VERSION	 1
#define RETIRED	 (-1)
#define BUSY_MS	 5000
#define FIND_MIN 3 /* characters: a trigram */
#define SCHEMA                                                                                     \
	"CREATE TABLE doc (id INTEGER PRIMARY KEY, cut INTEGER NOT NULL);"                         \
	"CREATE TABLE box (guid BLOB PRIMARY KEY, uid INTEGER NOT NULL) WITHOUT ROWID;"            \
	"CREATE VIRTUAL TABLE txt USING fts5(head, body, content='',"                              \
	" tokenize='trigram case_sensitive 1');"                                                   \
	"INSERT INTO txt(txt, rank) VALUES('automerge', 16);"                                      \
	"INSERT INTO txt(txt, rank) VALUES('crisismerge', 64);"                                    \
	"INSERT INTO txt(txt, rank) VALUES('hashsize', 8388608);"                                  \
	"PRAGMA user_version=1;"

_Static_assert(VERSION == 1 && RETIRED == -1, "they are written out in statements");

static int fail(struct fts_db *d, int code, const char *what, struct err *err)
{
	int error = -EIO;

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table that is missing, or is not what it should be */
		error = -EBADMSG;
		break;
	case SQLITE_FULL:
		error = -ENOSPC;
		break;
	case SQLITE_CANTOPEN:
		error = -ENOENT;
		break;
	}
	return err_set(err, error, "%s: %s", what,
		       d->sql ? sqlite3_errmsg(d->sql) : sqlite3_errstr(code));
}

static int run(struct fts_db *d, const char *text, struct err *err)
{
	int code = sqlite3_exec(d->sql, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(d, code, "full-text index", err);
}

static void finish(sqlite3_stmt **q)
{
	sqlite3_finalize(*q);
}
#define auto_query __attribute__((cleanup(finish)))

static int prepare(struct fts_db *d, const char *text, sqlite3_stmt **out, struct err *err)
{
	int code = sqlite3_prepare_v2(d->sql, text, -1, out, NULL);

	return code == SQLITE_OK ? 0 : fail(d, code, "full-text index", err);
}

/* 1: a row, 0: no more. */
static int step(struct fts_db *d, sqlite3_stmt *q, struct err *err)
{
	int code = sqlite3_step(q);

	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return code == SQLITE_ROW;
	return fail(d, code, "full-text index", err);
}

static int step_and_reset(struct fts_db *d, sqlite3_stmt *q, struct err *err)
{
	int r = step(d, q, err);

	sqlite3_reset(q);
	return r;
}

static int version_of(struct fts_db *d, int *out, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;

	int r = prepare(d, "PRAGMA user_version", &q, err);
	if (r == 0)
		r = step(d, q, err);
	if (r == 1)
		*out = sqlite3_column_int(q, 0);
	return r < 0 ? r : 0;
}

static int open_schema(struct fts_db *d, bool create, struct err *err)
{
	int version = 0;

	sqlite3_busy_timeout(d->sql, BUSY_MS);
	int r = run(d,
		    "PRAGMA cell_size_check=1; PRAGMA temp_store=MEMORY;"
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
		    err);
	if (r == 0)
		r = version_of(d, &version, err);
	if (r == 0 && version == 0 && create) {
		r = run(d, SCHEMA, err);
		version = VERSION;
	}
	if (r < 0)
		return r;
	if (version == VERSION)
		return 0;
	r = create ? -EBADMSG : -ENOENT;
	return version == RETIRED ? err_set(err, r, "it is asked for")
				  : err_set(err, r, "index of version %d", version);
}

int fts_db_open(struct fts_db *d, const char *path, bool create, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	*d = (struct fts_db){ 0 };
	int code = sqlite3_open_v2(path, &d->sql, flags | (create ? SQLITE_OPEN_CREATE : 0), NULL);
	int r = code == SQLITE_OK ? open_schema(d, create, err) : fail(d, code, path, err);
	if (r < 0)
		fts_db_close(d);
	return r;
}

void fts_db_close(struct fts_db *d)
{
	sqlite3_finalize(d->add_text);
	sqlite3_finalize(d->add_id);
	sqlite3_finalize(d->has_id);
	sqlite3_close(d->sql);
	*d = (struct fts_db){ 0 };
}

int fts_db_begin(struct fts_db *d, struct err *err)
{
	return run(d, "BEGIN IMMEDIATE", err);
}

int fts_db_commit(struct fts_db *d, struct err *err)
{
	return run(d, "COMMIT", err);
}

int fts_db_has(struct fts_db *d, int64_t id, struct err *err)
{
	int r = 0;

	if (!d->has_id)
		r = prepare(d, "SELECT 1 FROM doc WHERE id=?", &d->has_id, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(d->has_id, 1, id);
	return step_and_reset(d, d->has_id, err);
}

static void bind_text(sqlite3_stmt *q, int at, struct str s)
{
	sqlite3_bind_text64(q, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

int fts_db_add(struct fts_db *d, const struct fts_text *t, struct err *err)
{
	int r = 0;

	if (!d->add_text)
		r = prepare(d, "INSERT INTO txt(rowid, head, body) VALUES(?,?,?)", &d->add_text,
			    err);
	if (r == 0 && !d->add_id)
		r = prepare(d, "INSERT INTO doc(id, cut) VALUES(?,?)", &d->add_id, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(d->add_text, 1, t->id);
	bind_text(d->add_text, 2, t->head);
	bind_text(d->add_text, 3, t->body);
	r = step_and_reset(d, d->add_text, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(d->add_id, 1, t->id);
	sqlite3_bind_int(d->add_id, 2, t->cut);
	r = step_and_reset(d, d->add_id, err);
	return r < 0 ? r : 0;
}

int fts_db_box(struct fts_db *d, const uint8_t guid[16], uint32_t *uid, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;

	int r = prepare(d, "SELECT uid FROM box WHERE guid=?", &q, err);
	if (r < 0)
		return r;
	sqlite3_bind_blob(q, 1, guid, 16, SQLITE_STATIC);
	r = step(d, q, err);
	if (r >= 0)
		*uid = r ? (uint32_t)sqlite3_column_int64(q, 0) : 0;
	return r < 0 ? r : 0;
}

int fts_db_set_box(struct fts_db *d, const uint8_t guid[16], uint32_t uid, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;

	int r = prepare(d, "INSERT OR REPLACE INTO box(guid, uid) VALUES(?,?)", &q, err);
	if (r < 0)
		return r;
	sqlite3_bind_blob(q, 1, guid, 16, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, uid);
	r = step(d, q, err);
	return r < 0 ? r : 0;
}

int fts_db_marks(struct fts_db *d, struct arena *a, struct fts_marks *out, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;

	*out = (struct fts_marks){ 0 };
	int r = prepare(d, "SELECT guid, uid, count() OVER () FROM box", &q, err);
	while (r >= 0 && (r = step(d, q, err)) == 1) {
		const void *guid = sqlite3_column_blob(q, 0);
		if (!out->v)
			out->v = ARENA_NEW_ARRAY(a, struct fts_mark,
						 (size_t)sqlite3_column_int64(q, 2));
		if (!guid || sqlite3_column_bytes(q, 0) != sizeof(out->v->box))
			continue;
		struct fts_mark *m = &out->v[out->n++];
		memcpy(m->box, guid, sizeof(m->box));
		m->uid = (uint32_t)sqlite3_column_int64(q, 1);
	}
	return r;
}

int fts_db_retire(struct fts_db *d, struct err *err)
{
	return run(d, "PRAGMA user_version=-1", err);
}

struct growing {
	struct fts_ids ids;
	size_t cap;
};

static void add_id(struct growing *g, struct arena *a, int64_t id)
{
	if (g->ids.n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 256;
		int64_t *v = ARENA_NEW_ARRAY(a, int64_t, g->cap);
		if (g->ids.n)
			memcpy(v, g->ids.v, g->ids.n * sizeof(*v));
		g->ids.v = v;
	}
	g->ids.v[g->ids.n++] = id;
}

int fts_db_known(struct fts_db *d, struct arena *a, struct fts_known *out, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;
	struct growing all = { 0 }, cut = { 0 };

	int r = prepare(d, "SELECT id, cut FROM doc ORDER BY id", &q, err);
	while (r >= 0 && (r = step(d, q, err)) == 1) {
		add_id(&all, a, sqlite3_column_int64(q, 0));
		if (sqlite3_column_int(q, 1))
			add_id(&cut, a, sqlite3_column_int64(q, 0));
	}
	if (r < 0)
		return r;
	*out = (struct fts_known){ all.ids, cut.ids };
	return 0;
}

/* A phrase of FTS5, cut between characters. */
static struct str phrase(const struct fts_query *q, struct arena *a)
{
	struct buf b;
	size_t n = q->text.n;

	if (n > FTS_EXACT_MAX)
		for (n = FTS_EXACT_MAX; n && ((unsigned char)q->text.p[n] & 0xc0) == 0x80;)
			n--;
	buf_init(&b, a, 4 * FTS_EXACT_MAX);
	buf_puts(&b, q->heads ? "\"" : "body : \"");
	for (size_t i = 0; i < n; i++) {
		if (q->text.p[i] == '"')
			buf_putc(&b, '"');
		buf_putc(&b, q->text.p[i]);
	}
	buf_putc(&b, '"');
	return buf_str(&b);
}

int fts_db_find(struct fts_db *d, const struct fts_query *query, struct arena *a,
		struct fts_ids *out, struct err *err)
{
	auto_query sqlite3_stmt *q = NULL;
	struct growing found = { 0 };

	int r = prepare(d, "SELECT rowid FROM txt WHERE txt MATCH ? ORDER BY rowid", &q, err);
	if (r == 0)
		bind_text(q, 1, phrase(query, a));
	while (r >= 0 && (r = step(d, q, err)) == 1)
		add_id(&found, a, sqlite3_column_int64(q, 0));
	if (r < 0)
		return r;
	*out = found.ids;
	return 0;
}

int fts_db_merge(struct fts_db *d, bool first, struct err *err)
{
	int before = sqlite3_total_changes(d->sql);

	/* In pages of the index. FTS5: less than two changes say that nothing was left to do. */
	int r = run(d,
		    first ? "INSERT INTO txt(txt, rank) VALUES('merge', -500)"
			  : "INSERT INTO txt(txt, rank) VALUES('merge', 500)",
		    err);
	return r < 0 ? r : sqlite3_total_changes(d->sql) - before >= 2;
}

uint64_t fts_db_size(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

void fts_db_remove(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[2048];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		int n = snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		if (n > 0 && (size_t)n < sizeof(name))
			(void)unlink(name);
	}
}

bool fts_can_find(struct str folded)
{
	unsigned chars = 0;

	for (size_t i = 0; i < folded.n; i++) {
		unsigned char c = (unsigned char)folded.p[i];
		if (c < ' ' || c == 0x7f)
			return false;
		chars += (c & 0xc0) != 0x80;
	}
	return chars >= FIND_MIN;
}

bool fts_ids_has(const struct fts_ids *ids, int64_t id)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (ids->v[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ids->n && ids->v[low] == id;
}

int64_t fts_id(struct str guid)
{
	struct str unique, rest;

	/* A Maildir name up to its sizes. */
	(void)str_cut(guid, ',', &unique, &rest);
	return (int64_t)(str_hash(unique, UINT64_C(0x66756c6c74657874)) >> 1);
}
