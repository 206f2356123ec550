/* The index of a mailbox: opened when the mailbox is loaded, told of every change, let go with
 * it. Without one (another process has it, no space, no directory for it) everything works, more
 * slowly. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"

/* UIDs that a power cut may have taken from every disk after clients saw them. */
#define UIDS_OF_A_CRASH 10000

/* What the directories looked like; see store/index.h. */
struct marks {
	uint64_t dev, ino, size;
	struct timespec uidlist, new, cur;
	uint64_t own; /* changes of our own may hide those of others */
};

static struct store_index_marks marks_of(const struct maildir_box *mb)
{
	struct marks m = {
		.dev = mb->uidlist.dev,
		.ino = mb->uidlist.ino,
		.size = (uint64_t)mb->uidlist.size,
		.uidlist = mb->uidlist.mtime,
		.new = mb->new_mtime,
		.cur = mb->cur_mtime,
		.own = mb->own_since != 0,
	};
	struct store_index_marks out = { 0 };
	_Static_assert(sizeof(m) <= sizeof(out), "the marks fit");
	if (mb->rescan)
		m.new = m.cur = (struct timespec){ 0 };
	memcpy(out.bytes, &m, sizeof(m));
	return out;
}

static void take_marks(struct maildir_box *mb, const struct store_index_marks *marks)
{
	struct marks m;
	memcpy(&m, marks->bytes, sizeof(m));
	mb->uidlist = (struct file_mark){ m.dev, m.ino, (off_t)m.size, m.uidlist };
	mb->new_mtime = m.new;
	mb->cur_mtime = m.cur;
	mb->own_since = m.own ? maildir_now_ms() : 0;
	mb->rescan = false;
}

int maildir_index_dir(struct store *s)
{
	struct store_pool *p = s->pool;
	auto_arena struct arena a = ARENA_INIT;

	if (!p->set.index_root.n || s->index_fd >= 0 || s->index_failed)
		return s->index_fd;
	struct str dir = store_account_below(p->set.index_root, str_from(s->path), &a);
	struct err err = { 0 };
	int r = fd_make_dirs(dir.p, 0700, &err);
	if (r == 0)
		s->index_fd = open(dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->index_fd < 0) {
		s->index_failed = true;
		maildir_report(s, STORE_DAMAGED, ".", "no index: %" STR_FMT ": %s", STR_ARG(dir),
			       r < 0 ? err.text : strerror(errno));
	}
	return s->index_fd;
}

void maildir_index_remove_files(int dirfd, const uint8_t guid[16], bool index_too)
{
	char prefix[40];
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (!d)
		return;
	store_guid_text(prefix, guid);
	memcpy(prefix + 32, ".", 2);
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		struct str name = str_from(e->d_name);
		if (str_starts(name, str_from(prefix)) &&
		    (index_too || !str_ends(name, STR(".index"))))
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}

static int open_index(struct maildir_box *mb, struct err *err)
{
	int dirfd = maildir_index_dir(mb->store);
	if (dirfd < 0)
		return err_set(err, -ENOENT, "no index");
	return store_index_open(&mb->index, dirfd, mb->base.guid, mb->store->pool->boot, err);
}

/* Throw away what a damaged file has brought. */
static void begin_without(struct maildir_box *mb)
{
	uint8_t guid[16];
	memcpy(guid, mb->base.guid, sizeof(guid));
	store_box_done(&mb->base);
	store_box_init(&mb->base);
	memcpy(mb->base.guid, guid, sizeof(guid));
	mb->uidlist = (struct file_mark){ 0 };
	mb->rescan = true;
}

static void after_boot(struct maildir_box *mb)
{
	if (memcmp(mb->index.found_boot, mb->index.boot, sizeof(mb->index.boot)) == 0)
		return;
	if (mb->base.uidnext < UINT32_MAX / 2)
		mb->base.uidnext += UIDS_OF_A_CRASH;
}

/* What is still to be done on disk goes into the queue again. */
static void queue_unsettled(struct maildir_box *mb)
{
	const struct store_messages *m = &mb->base.messages;
	for (uint32_t i = 0; i < m->n; i++)
		if (maildir_rec_is_unsettled(&m->v[i]))
			maildir_settle_later(mb, &m->v[i]);
}

bool maildir_index_load(struct maildir_box *mb)
{
	struct err err = { 0 };
	uint32_t uidvalidity;

	if (!mb->store->pool->set.index_root.n ||
	    !maildir_uidlist_peek(mb->fd, &uidvalidity, mb->base.guid) || open_index(mb, &err) < 0)
		return false;
	int r = store_index_load(&mb->index, &mb->base, &err);
	if (r == 1 && mb->base.uidvalidity != uidvalidity)
		r = 0; /* of the mailbox that was here before */
	if (r != 1) {
		if (r < 0)
			maildir_report(mb->store, STORE_REPAIRED, mb->dir,
				       "index is made again: %s", err.text);
		begin_without(mb);
		return false;
	}
	if (mb->index.damaged)
		maildir_report(mb->store, STORE_REPAIRED, mb->dir,
			       "index: the last %u bytes were damaged and are dropped",
			       mb->index.damaged);
	facts_files_init(&mb->facts, mb->index.dirfd, mb->base.guid, mb->index.generation);
	mb->facts.puts = mb->index.puts;
	take_marks(mb, &mb->index.marks);
	mb->settled = mb->index.settled;
	if (mb->index.damaged)
		mb->rescan = true;
	maildir_keywords_read(mb);
	after_boot(mb);
	queue_unsettled(mb);
	return true;
}

static void give_up(struct maildir_box *mb, const struct err *err)
{
	maildir_report(mb->store, STORE_DAMAGED, mb->dir, "goes on without index: %s", err->text);
	(void)!store_messages_read_names(&mb->base.messages);
	mb->facts.failed = true;
	(void)!ftruncate(mb->index.fd, 0);
	store_index_close(&mb->index);
	mb->base.indexed = false;
	store_box_told(&mb->base);
	maildir_settle_all(mb);
}

/* Modification sequences of an index that is lost must not come again: begin above all that may
 * have been given, counted by the clock. */
static void begin_modseq(struct store_box *b)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t from = (uint64_t)now.tv_sec * 16384 + (uint64_t)now.tv_nsec / 61036;
	if (from <= b->modseq)
		return;
	b->modseq = b->gone_from = b->log_from = from;
	b->ngone = 0;
	for (uint32_t i = 0; i < b->messages.n; i++)
		b->messages.v[i].modseq = from;
}

void maildir_index_begin(struct maildir_box *mb)
{
	struct err err = { 0 };
	struct store_index_marks marks = marks_of(mb);

	if (mb->base.indexed || !mb->store->pool->set.index_root.n || !list_empty(&mb->base.views))
		return;
	int r = mb->index.fd < 0 ? open_index(mb, &err) : 0;
	if (r < 0) {
		if (r != -EBUSY && !mb->store->index_failed)
			maildir_report(mb->store, STORE_DAMAGED, mb->dir, "no index: %s", err.text);
		return;
	}
	begin_modseq(&mb->base);
	maildir_facts_begin(mb);
	if (store_index_save(&mb->index, &mb->base, &marks, mb->settled, &err) < 0)
		give_up(mb, &err);
}

void maildir_index_write(struct maildir_box *mb)
{
	struct err err = { 0 };
	if (!mb->base.indexed)
		return;
	struct store_index_marks marks = marks_of(mb);
	facts_files_flush(&mb->facts);
	mb->index.puts = mb->facts.puts;
	if (mb->base.messages.names->failed)
		err_set(&err, -EIO, "its strings are damaged");
	else if (store_index_write(&mb->index, &mb->base, &marks, mb->settled, &err) == 0)
		return;
	give_up(mb, &err);
}

bool maildir_index_shorten(struct maildir_box *mb)
{
	struct err err = { 0 };

	if (mb->pins > 0 || !mb->base.indexed || !store_index_is_long(&mb->index))
		return false;
	struct store_index_marks marks = marks_of(mb);
	facts_files_flush(&mb->facts);
	mb->index.puts = mb->facts.puts;
	if (store_index_save(&mb->index, &mb->base, &marks, mb->settled, &err) < 0)
		give_up(mb, &err);
	return false;
}

void maildir_index_rest(struct maildir_box *mb)
{
	maildir_index_write(mb);
	facts_files_rest(&mb->facts);
	if (mb->base.indexed && store_index_is_long(&mb->index))
		maildir_work_later(mb);
}

bool maildir_index_is_lost(const struct maildir_box *mb)
{
	struct stat st;

	return mb->base.indexed && fstat(mb->index.fd, &st) == 0 && st.st_nlink == 0;
}

void maildir_index_again(struct maildir_box *mb)
{
	struct err err = { 0 };

	(void)!store_messages_read_names(&mb->base.messages);
	store_index_close(&mb->index);
	mb->base.indexed = false;
	if (open_index(mb, &err) < 0) {
		give_up(mb, &err);
		return;
	}
	maildir_facts_begin(mb);
	mb->facts_from = 0;
	mb->rescan = true;
	struct store_index_marks marks = marks_of(mb);
	if (store_index_save(&mb->index, &mb->base, &marks, mb->settled, &err) < 0)
		give_up(mb, &err);
	maildir_work_later(mb);
}
