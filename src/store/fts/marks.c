/* Full-text indexes as other programs see them. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/fts/db.h"
#include "store/store.h"

const char *fts_file(struct str root, struct str mail_path, struct arena *a)
{
	return arena_printf(a, "%" STR_FMT "/text.db",
			    STR_ARG(store_account_below(root, mail_path, a)))
		.p;
}

int fts_marks(const char *file, struct arena *a, struct fts_marks *out, struct err *err)
{
	struct fts_db db;

	int r = fts_db_open(&db, file, false, err);
	if (r < 0)
		return r;
	r = fts_db_marks(&db, a, out, err);
	fts_db_close(&db);
	return r;
}

uint32_t fts_marks_uid(const struct fts_marks *m, const uint8_t box[16])
{
	for (size_t i = 0; i < m->n; i++)
		if (memcmp(m->v[i].box, box, sizeof(m->v[i].box)) == 0)
			return m->v[i].uid;
	return 0;
}

int fts_retire(const char *file, struct err *err)
{
	struct fts_db db;

	int r = fts_db_open(&db, file, false, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = fts_db_retire(&db, err);
	fts_db_close(&db);
	return r;
}
