#include "setup/remove_tree.h"

#include <errno.h>
#include <fts.h>
#include <unistd.h>

#include "base/err.h"

static void close_walk(FTS **walk)
{
	if (*walk)
		fts_close(*walk);
}

static int remove_entry(const FTSENT *e, struct err *err)
{
	switch (e->fts_info) {
	case FTS_D: /* comes again as FTS_DP once it is empty */
		return 0;
	case FTS_DP:
		return rmdir(e->fts_accpath) < 0 ? err_sys(err, "%s", e->fts_path) : 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return err_set(err, -e->fts_errno, "%s: cannot be read", e->fts_path);
	default:
		return unlink(e->fts_accpath) < 0 ? err_sys(err, "%s", e->fts_path) : 0;
	}
}

int remove_tree(const char *path, struct err *err)
{
	char *const roots[] = { (char *)path, NULL };
	__attribute__((cleanup(close_walk))) FTS *walk =
		fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!walk)
		return err_sys(err, "%s", path);

	FTSENT *e;
	while ((errno = 0, e = fts_read(walk))) {
		int r = remove_entry(e, err);
		if (r < 0)
			return r;
	}
	return errno ? err_sys(err, "%s", path) : 0;
}
