/* Mailboxes as directories: made, found, removed. A mailbox exists when its cur/ does. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"
#include "store/name.h"

#define TREE_DEPTH_MAX 8
#define DELETED_PREFIX "..posthorn-deleted." /* two dots: no mailbox has such a name */

int maildir_folder_complete(int fd, const char *dir, struct err *err)
{
	static const char *const parts[] = { "cur", "new", "tmp" };

	/* Directories get lost in backups that skip empty ones. */
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (faccessat(fd, parts[i], F_OK, 0) == 0)
			continue;
		if (i == 0 && strcmp(dir, ".") != 0)
			return err_set(err, -ENOENT, "no mailbox %s", dir);
		if (mkdirat(fd, parts[i], 0700) < 0 && errno != EEXIST)
			return err_sys(err, "%s/%s: create", dir, parts[i]);
	}
	return 0;
}

int maildir_folder_open(struct store *s, const char *dir, struct err *err)
{
	auto_close int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, -ENOENT, "no mailbox %s", dir);
	if (fd < 0)
		return err_sys(err, "%s", dir);
	int r = maildir_folder_complete(fd, dir, err);
	return r < 0 ? r : take_fd(&fd);
}

static bool folder_exists(struct store *s, const char *dir)
{
	char cur[STORE_NAME_MAX];
	int n = snprintf(cur, sizeof(cur), "%s/cur", dir);
	return n > 0 && (size_t)n < sizeof(cur) && faccessat(s->fd, cur, F_OK, 0) == 0;
}

int store_box_check(struct store *s, struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *dir;
	int r = maildir_dir_of(s, name, &a, &dir, err);
	if (r < 0)
		return r;
	return folder_exists(s, dir) ? 0 : err_set(err, -ENOENT, "no such mailbox");
}

static unsigned count_folders(struct store *s)
{
	unsigned n = 0;
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] == '.';
	closedir(d);
	return n;
}

/* cur/ comes last: a folder half made is none yet, and can be made again. */
static int make_parts(struct store *s, const char *dir, struct err *err)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	auto_close int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "%s", dir);
	auto_close int marker =
		openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (marker < 0)
		return err_sys(err, "%s/maildirfolder: create", dir);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (mkdirat(fd, parts[i], 0700) < 0 && errno != EEXIST)
			return err_sys(err, "%s/%s: create", dir, parts[i]);
	return 0;
}

int maildir_folder_make(struct store *s, struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *dir;
	int r = maildir_dir_of(s, name, &a, &dir, err);
	if (r < 0)
		return r;
	if (folder_exists(s, dir))
		return err_set(err, -EEXIST, "mailbox exists");
	if (count_folders(s) >= STORE_BOXES_MAX)
		return err_set(err, -E2BIG, "more than %d mailboxes", STORE_BOXES_MAX);
	s->usage_until = 0;
	if (mkdirat(s->fd, dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "%s: create", dir);
	return make_parts(s, dir, err);
}

int store_box_create(struct store *s, struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;

	int r = maildir_folder_make(s, name, err);
	if (r == 0)
		maildir_tell_watchers(s, STORE_WATCH_CREATED, store_name_canonical(&a, name),
				      STR_NONE);
	return r;
}

static int remove_tree(int parent, const char *name, int depth, struct err *err);

static int remove_contents(int fd, int depth, struct err *err)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	int r = 0;
	if (!d)
		return err_sys(err, "open directory");
	for (const struct dirent *e = readdir(d); e && r == 0; e = readdir(d))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_tree(fd, e->d_name, depth, err);
	closedir(d);
	return r;
}

/* Never follows a symbolic link. */
static int remove_tree(int parent, const char *name, int depth, struct err *err)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, "%s: remove", name);
	if (depth == 0)
		return err_set(err, -E2BIG, "%s: too many levels of directories", name);

	auto_close int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "%s", name);
	int r = remove_contents(fd, depth - 1, err);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = err_sys(err, "%s: remove", name);
	return r;
}

/* What this or an interrupted delete has put aside. */
static void sweep_deleted(struct store *s)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct err err = { 0 };
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (str_starts(str_from(e->d_name), STR(DELETED_PREFIX)) &&
		    remove_tree(s->fd, e->d_name, TREE_DEPTH_MAX, &err) < 0)
			maildir_report(s, STORE_DAMAGED, e->d_name, "deleted mailbox stays: %s",
				       err.text);
	closedir(d);
}

/* Of a mailbox that was put aside. */
static void remove_index(struct store *s, const char *dir)
{
	uint32_t uidvalidity;
	uint8_t guid[16];

	auto_close int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && maildir_uidlist_peek(fd, &uidvalidity, guid) && maildir_index_dir(s) >= 0)
		maildir_index_remove_files(s->index_fd, guid, true);
}

int store_box_delete(struct store *s, struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *dir;
	char aside[160], unique[128];
	int r = maildir_dir_of(s, name, &a, &dir, err);
	if (r < 0)
		return r;
	if (store_name_is_inbox(name))
		return err_set(err, -EPERM, "INBOX cannot be deleted");
	if (!folder_exists(s, dir))
		return err_set(err, -ENOENT, "no such mailbox");

	/* One rename, and it is gone at once. */
	struct str u = maildir_unique_name(s->pool, unique);
	snprintf(aside, sizeof(aside), DELETED_PREFIX "%" STR_FMT, STR_ARG(u));
	if (renameat(s->fd, dir, s->fd, aside) < 0)
		return err_sys(err, "%s: delete", dir);
	s->usage_until = 0;
	struct maildir_box *mb = maildir_box_loaded(s, name);
	if (mb)
		maildir_box_detach(mb);
	remove_index(s, aside);
	sweep_deleted(s);
	name = store_name_canonical(&a, name);
	maildir_meta_moved(s, name, STR_NONE);
	maildir_tell_watchers(s, STORE_WATCH_DELETED, name, STR_NONE);
	return 0;
}

struct str store_box_special(struct store *s, enum store_box_attr use)
{
	const struct store_settings *set = &s->pool->set;
	for (size_t i = 0; i < set->nspecial; i++)
		if (set->special[i].attr & use &&
		    store_box_check(s, set->special[i].name, NULL) == 0)
			return set->special[i].name;
	return STR_NONE;
}

int store_prepare(struct store *s, struct err *err)
{
	const struct store_settings *set = &s->pool->set;
	auto_arena struct arena a = ARENA_INIT;
	struct str *made = ARENA_NEW_ARRAY(&a, struct str, set->nspecial);
	size_t n = 0;
	for (size_t i = 0; i < set->nspecial; i++) {
		struct str name = set->special[i].name;
		if (store_box_check(s, name, NULL) == 0)
			continue;
		int r = maildir_folder_make(s, name, err);
		if (r < 0 && r != -EEXIST)
			return r;
		made[n++] = name;
	}
	return n ? maildir_subscribe_all(s, made, n, true, err) : 0;
}
