/* One group commit: everything that waits goes to disk with one fdatasync. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "queue/journal_state.h"

static void settle_list(struct list *appends, int result)
{
	LIST_FOREACH (it, appends) {
		struct journal_append *a = LIST_ITEM(it, struct journal_append, link);
		if (a->result == JOURNAL_WRITTEN)
			a->result = result;
	}
}

static void settle(struct journal_batch *b, int result)
{
	settle_list(&b->loose, result);
	settle_list(&b->appends, result);
}

/* After a failed write or fdatasync the kernel may have thrown the pages away and call them
 * clean: a second fdatasync that succeeds proves nothing. Nothing behind the last good byte is
 * believed any more; the next append begins a new segment. */
static void abandon(struct journal *j, struct journal_batch *b, int result)
{
	settle(b, result);
	journal_writer_leave(j);
}

static int sync_all(struct journal *j, struct journal_batch *b)
{
	if (!j->w.segment || j->w.tail == j->w.synced)
		return 0;
	int r = journal_writer_sync(j, &b->err);
	b->syncs++;
	if (r < 0)
		abandon(j, b, r);
	else
		settle(b, 0);
	return r;
}

/* Room for a record in the open segment or in a new one. Messages leave the reserve to the
 * marks, so that on a full disk finished mail can still be told from unfinished. */
static int make_room(struct journal *j, struct journal_batch *b, const struct journal_append *a)
{
	uint64_t size = journal_record_size(journal_append_length(a));
	uint64_t keep = a->type != JOURNAL_MESSAGE ? 0 : j->reserve;

	if (j->w.segment && size + keep <= journal_writer_room(j))
		return 0;
	/* The previous one in this batch did not get it either. */
	if (b->no_room && size >= b->no_room_for)
		return b->no_room;
	int r = sync_all(j, b);
	if (r < 0)
		return r;
	r = journal_writer_begin(j, b, size);
	if (r < 0) {
		b->no_room = r;
		b->no_room_for = size;
	}
	return r;
}

static void append(struct journal *j, struct journal_batch *b, struct journal_append *a)
{
	int r = make_room(j, b, a);
	if (r < 0) {
		a->result = r;
		return;
	}
	struct err err = { 0 };
	a->segment = j->w.segment;
	a->offset = j->w.tail;
	a->result = JOURNAL_WRITTEN;
	r = journal_writer_put(j, a, &err);
	if (r == 0)
		return;
	if (b->err.code == 0)
		b->err = err;
	if (r == -ECOMM)
		a->result = err.code;
	else
		abandon(j, b, r);
}

/* Segments go only when the marks of their messages are durable. */
static bool must_sync(const struct journal_batch *b)
{
	if (b->sync || !list_empty(&b->retired))
		return true;
	LIST_FOREACH (it, &b->appends) {
		if (!LIST_ITEM(it, struct journal_append, link)->relaxed)
			return true;
	}
	return false;
}

static int write_all(struct journal *j, struct journal_batch *b)
{
	if (!j->w.segment || !j->w.used)
		return 0;
	int r = journal_writer_flush(j, &b->err);
	if (r < 0)
		abandon(j, b, r);
	return r;
}

void journal_commit(struct journal *j, struct journal_batch *b)
{
	struct err err;

	LIST_FOREACH (it, &b->appends) {
		append(j, b, LIST_ITEM(it, struct journal_append, link));
	}
	int r = must_sync(b) ? sync_all(j, b) : write_all(j, b);
	if (r < 0)
		return;
	if (journal_retire(j, &b->retired, &err) < 0 && b->err.code == 0)
		b->err = err;
}
