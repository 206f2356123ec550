/* Loaded mailboxes: found, loaded, pinned, and let go when others need the room. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/disk_name.h"
#include "store/maildir/maildir.h"
#include "store/name.h"

#define TMP_AGE_SECONDS (36 * 3600)

static bool dir_exists(struct store *s, const char *dir)
{
	return faccessat(s->fd, dir, F_OK, 0) == 0;
}

static const char *spell(struct arena *a, struct str name, bool encoded)
{
	struct buf b;
	buf_init(&b, a, 4 * STORE_NAME_MAX);
	buf_putc(&b, '.');
	if (encoded)
		disk_name_write(&b, name);
	else
		buf_put_str(&b, name);
	return buf_cstr(&b);
}

int maildir_dir_of(struct store *s, struct str name, struct arena *a, const char **dir,
		   struct err *err)
{
	int r = store_name_check(name, err);
	if (r < 0)
		return r;
	name = store_name_canonical(a, name);
	if (store_name_is_inbox(name)) {
		*dir = ".";
		return 0;
	}
	const char *encoded = spell(a, name, true);
	if (!encoded || strlen(encoded) > 254)
		return err_set(err, -ENAMETOOLONG, "mailbox name too long for the disk");
	*dir = encoded;
	if (strcmp(encoded + 1, spell(a, name, false) + 1) == 0 || dir_exists(s, encoded))
		return 0;

	/* Other programs may have used plain UTF-8. */
	const char *plain = spell(a, name, false);
	if (plain && strlen(plain) <= 254 && dir_exists(s, plain))
		*dir = plain;
	return 0;
}

struct maildir_box *maildir_box_loaded(struct store *s, struct str name)
{
	auto_arena struct arena a = ARENA_INIT;

	name = store_name_canonical(&a, name);
	LIST_FOREACH (it, &s->boxes) {
		struct maildir_box *mb = LIST_ITEM(it, struct maildir_box, node);
		if (!mb->base.stale && str_eq(str_from(mb->name), name))
			return mb;
	}
	return NULL;
}

static char *copy_string(struct str s)
{
	char *p = strndup(s.p, s.n);
	if (!p)
		check_no_memory();
	return p;
}

static void box_free(struct maildir_box *mb)
{
	list_remove(&mb->node);
	if (!mb->base.stale)
		maildir_usage_leaves(mb);
	list_remove(&mb->settling);
	maildir_notice_end(mb);
	maildir_facts_compact_abort(mb);
	facts_files_rest(&mb->facts);
	store_index_close(&mb->index);
	box_uids_done(&mb->unsettled);
	store_box_done(&mb->base);
	arena_done(&mb->arena);
	close(mb->fd);
	free(mb->name);
	free(mb->dir);
	free(mb);
}

/* Files that were never finished, once nobody can still be writing them. */
static void clean_tmp(int boxfd)
{
	int fd = openat(boxfd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d)
		return;
	time_t now = time(NULL);
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		struct stat st;
		if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && now - st.st_mtime > TMP_AGE_SECONDS &&
		    now - st.st_ctime > TMP_AGE_SECONDS)
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}

static int box_load(struct store *s, struct str name, const char *dir, struct maildir_box **out,
		    struct err *err)
{
	int fd = maildir_folder_open(s, dir, err);
	if (fd < 0)
		return fd;
	clean_tmp(fd);
	struct maildir_box *mb = calloc(1, sizeof(*mb));
	if (!mb)
		check_no_memory();
	store_box_init(&mb->base);
	mb->base.changed = maildir_box_changed;
	mb->store = s;
	mb->fd = fd;
	mb->name = copy_string(name);
	mb->dir = copy_string(str_from(dir));
	mb->rescan = true;
	mb->index = STORE_INDEX_NONE;
	facts_files_init(&mb->facts, -1, mb->base.guid, 0);
	list_init(&mb->idle);
	list_init(&mb->settling);
	list_append(&s->boxes, &mb->node);

	(void)maildir_index_load(mb);
	int r = maildir_box_refresh(mb, err);
	if (r < 0) {
		box_free(mb);
		return r;
	}
	maildir_index_begin(mb);
	maildir_work_later(mb);
	*out = mb;
	return 0;
}

static void idle_remove(struct maildir_box *mb)
{
	if (list_empty(&mb->idle))
		return;
	list_remove(&mb->idle);
	mb->store->pool->nidle--;
	mb->store->pool->idle_bytes -= mb->idle_bytes;
}

void maildir_box_free_idle(struct maildir_box *mb)
{
	check(mb->pins == 0 && list_empty(&mb->base.views));
	idle_remove(mb);
	if (!mb->base.stale) {
		maildir_settle_all(mb);
		maildir_index_rest(mb);
		(void)maildir_index_shorten(mb);
	}
	box_free(mb);
}

/* Was the directory replaced by another of that name while we had it loaded? */
static bool is_replaced(const struct maildir_box *mb)
{
	struct stat ours, there;
	return fstat(mb->fd, &ours) < 0 || fstatat(mb->store->fd, mb->dir, &there, 0) < 0 ||
	       ours.st_ino != there.st_ino || ours.st_dev != there.st_dev;
}

int maildir_box_get(struct store *s, struct str name, struct maildir_box **out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	name = store_name_canonical(&a, name);

	struct maildir_box *mb = maildir_box_loaded(s, name);
	if (mb && is_replaced(mb)) {
		maildir_box_detach(mb);
		mb = NULL;
	}
	if (!mb) {
		const char *dir;
		int r = maildir_dir_of(s, name, &a, &dir, err);
		if (r < 0)
			return r;
		r = box_load(s, name, dir, &mb, err);
		if (r < 0)
			return r;
	}
	idle_remove(mb);
	mb->pins++;
	if (maildir_index_is_lost(mb))
		maildir_index_again(mb);
	*out = mb;
	return 0;
}

/* Only here and in maildir_box_free_idle are mailboxes freed, so that a pinned one stays. */
static void trim_idle(struct store_pool *p)
{
	while (p->nidle > p->set.loaded_max || p->idle_bytes > p->set.loaded_bytes) {
		struct maildir_box *oldest = LIST_ITEM(p->idle.next, struct maildir_box, idle);
		struct store *s = oldest->store;
		maildir_box_free_idle(oldest);
		maildir_store_unused(s);
	}
}

void maildir_box_release(struct maildir_box *mb)
{
	struct store_pool *p = mb->store->pool;
	check(mb->pins > 0);
	if (--mb->pins > 0)
		return;
	maildir_notice_end(mb);
	if (mb->base.stale) {
		struct store *s = mb->store;
		box_free(mb);
		maildir_store_unused(s);
		return;
	}
	maildir_index_rest(mb);
	store_messages_pack(&mb->base.messages, false);
	mb->idle_bytes = store_messages_memory(&mb->base.messages) + sizeof(*mb) + mb->arena.total;
	list_append(&p->idle, &mb->idle);
	p->nidle++;
	p->idle_bytes += mb->idle_bytes;
	trim_idle(p);
}

void maildir_box_detach(struct maildir_box *mb)
{
	mb->base.stale = true;
	store_box_notify(&mb->base, NULL);
	if (mb->pins == 0)
		maildir_box_free_idle(mb);
}

void maildir_box_renamed(struct maildir_box *mb, struct str name, const char *dir)
{
	free(mb->name);
	free(mb->dir);
	mb->name = copy_string(name);
	mb->dir = copy_string(str_from(dir));
}
