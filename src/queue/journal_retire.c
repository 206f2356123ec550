/* The end of a segment: kept for reuse under another name, or removed. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "queue/journal_state.h"

static bool is_reusable(const struct journal *j, const struct journal_segment *s)
{
	return !s->no_reuse && j->spare_count < j->spares_max &&
	       s->end >= j->segment_size / 4 * 3 && s->end <= j->segment_size;
}

int journal_sync_dir(struct journal *j, struct err *err)
{
	if (!j->dir_dirty)
		return 0;
	if (j->io->fsync(j->dir) < 0)
		return err_sys(err, "journal: directory: fsync");
	j->dir_dirty = false;
	return 0;
}

static int retire(struct journal *j, const struct journal_segment *s, struct err *err)
{
	char name[JOURNAL_NAME_MAX], spare[JOURNAL_NAME_MAX];

	journal_segment_name(s->number, name);
	if (is_reusable(j, s)) {
		journal_spare_name(s->number, spare);
		if (j->io->renameat(j->dir, name, spare) < 0)
			return err_sys(err, "journal: %s: rename", name);
		j->spares[j->spare_count++] = s->number;
	} else if (j->io->unlinkat(j->dir, name) < 0 && errno != ENOENT) {
		return err_sys(err, "journal: %s: unlink", name);
	}
	j->dir_dirty = true;
	return 0;
}

int journal_retire(struct journal *j, struct list *retired, struct err *err)
{
	while (!list_empty(retired)) {
		struct journal_segment *s = LIST_ITEM(retired->next, struct journal_segment, link);

		/* One at a time and synced: were a later segment gone after a power cut and this
		 * one back, its messages would come back without the marks that say they are
		 * done. */
		int r = journal_sync_dir(j, err);
		if (r == 0)
			r = retire(j, s, err);
		if (r < 0)
			return r;
		journal_segment_free(j->io, s);
	}
	return journal_sync_dir(j, err);
}
