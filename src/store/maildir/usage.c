/* Quota: the sum over all mailboxes. A loaded one has its own at hand, and leaves it behind when it
 * is let go; every few seconds all are looked at, for what other programs did. Without an index
 * file names tell the sizes, and a mailbox that did not change since is not read again. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/disk_name.h"
#include "store/maildir/maildir.h"

#define USAGE_TRUST_MS 5000

struct usage_entry {
	char *dir; /* the key */
	struct timespec new_mtime, cur_mtime;
	struct store_usage sum;
	bool seen; /* by the pass that is running */
};

static void entry_free(struct usage_entry *e)
{
	free(e->dir);
	free(e);
}

void maildir_usage_done(struct store *s)
{
	for (struct map_slot *it = map_next(&s->usage, NULL); it; it = map_next(&s->usage, it))
		entry_free(it->value);
	map_done(&s->usage);
}

static int times_of(int dirfd, struct timespec *new_mtime, struct timespec *cur_mtime)
{
	struct stat st;
	if (fstatat(dirfd, "new", &st, 0) < 0)
		return -errno;
	*new_mtime = st.st_mtim;
	if (fstatat(dirfd, "cur", &st, 0) < 0)
		return -errno;
	*cur_mtime = st.st_mtim;
	return 0;
}

bool maildir_usage_is_current(struct store *s, const char *dir, int dirfd)
{
	struct timespec new_mtime = { 0 }, cur_mtime = { 0 };
	const struct usage_entry *e = map_get(&s->usage, str_from(dir));
	return e && times_of(dirfd, &new_mtime, &cur_mtime) == 0 &&
	       timespec_eq(new_mtime, e->new_mtime) && timespec_eq(cur_mtime, e->cur_mtime);
}

void maildir_usage_arrived(struct store *s, const char *dir, int dirfd, uint64_t bytes)
{
	struct usage_entry *e = map_get(&s->usage, str_from(dir));
	e->sum.messages++;
	e->sum.bytes += bytes;
	(void)times_of(dirfd, &e->new_mtime, &e->cur_mtime);
}

static void add_file(int fd, const char *file, struct store_usage *sum)
{
	struct maildir_filename name;
	struct stat st;
	if (!maildir_filename_parse(str_from(file), &name))
		return;
	sum->messages++;
	if (name.wire_size != STORE_UNKNOWN)
		sum->bytes += name.wire_size;
	else if (name.size != STORE_UNKNOWN)
		sum->bytes += name.size;
	else if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		sum->bytes += (uint64_t)st.st_size;
}

static int sum_dir(int boxfd, const char *dir, struct store_usage *sum)
{
	int fd = openat(boxfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_type != DT_DIR)
			add_file(fd, e->d_name, sum);
	closedir(d);
	return 0;
}

static struct usage_entry *entry_of(struct store *s, const char *dir)
{
	struct usage_entry *e = map_get(&s->usage, str_from(dir));
	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		check_no_memory();
	e->dir = strdup(dir);
	if (!e->dir)
		check_no_memory();
	map_put(&s->usage, str_from(e->dir), e);
	return e;
}

static struct store_usage sum_of(const struct maildir_box *mb)
{
	return (struct store_usage){ store_messages_count(&mb->base.messages),
				     mb->base.messages.bytes };
}

/* With an index a mailbox is cheap to load. */
static bool sum_loaded(struct store *s, const char *dir, struct store_usage *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str name = STR("INBOX");
	struct maildir_box *mb;

	if (strcmp(dir, ".") != 0 && !disk_name_parse(str_from(dir + 1), &a, &name))
		return false;
	if (!s->pool->set.index_root.n && !maildir_box_loaded(s, name))
		return false;
	if (maildir_box_get(s, name, &mb, NULL) < 0)
		return false;
	bool good = maildir_box_refresh(mb, NULL) == 0;
	if (good)
		*out = sum_of(mb);
	maildir_box_release(mb);
	return good;
}

/* A mailbox that disappears meanwhile holds nothing. */
static void sum_box(struct store *s, const char *dir)
{
	struct timespec new_mtime, cur_mtime;
	struct store_usage sum = { 0 };

	bool loaded = sum_loaded(s, dir, &sum);
	struct usage_entry *e = entry_of(s, dir);
	e->seen = true;
	if (loaded) {
		e->sum = sum;
		e->new_mtime = e->cur_mtime = (struct timespec){ 0 };
		return;
	}
	auto_close int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || times_of(fd, &new_mtime, &cur_mtime) < 0) {
		e->seen = false;
		return;
	}
	if (timespec_eq(new_mtime, e->new_mtime) && timespec_eq(cur_mtime, e->cur_mtime))
		return;
	(void)sum_dir(fd, "new", &sum);
	(void)sum_dir(fd, "cur", &sum);
	e->sum = sum;
	e->new_mtime = new_mtime;
	e->cur_mtime = cur_mtime;
}

void maildir_usage_leaves(struct maildir_box *mb)
{
	struct usage_entry *e = map_get(&mb->store->usage, str_from(mb->dir));
	if (e)
		e->sum = sum_of(mb);
}

/* One entry at a time: the map must not change while it is visited. */
static void drop_unseen(struct store *s)
{
	bool again = true;
	while (again) {
		again = false;
		for (struct map_slot *it = map_next(&s->usage, NULL); it && !again;
		     it = map_next(&s->usage, it)) {
			struct usage_entry *e = it->value;
			if (e->seen)
				continue;
			map_remove(&s->usage, str_from(e->dir));
			entry_free(e);
			again = true;
		}
	}
}

/* Look at every mailbox. */
static int usage_read(struct store *s, struct err *err)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		int r = err_sys(err, "%s", s->path);
		if (fd >= 0)
			close(fd);
		return r;
	}
	for (struct map_slot *it = map_next(&s->usage, NULL); it; it = map_next(&s->usage, it))
		((struct usage_entry *)it->value)->seen = false;

	sum_box(s, ".");
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_name[0] == '.' && e->d_name[1] && e->d_name[1] != '.')
			sum_box(s, e->d_name);
	closedir(d);
	drop_unseen(s);
	return 0;
}

int store_usage(struct store *s, struct store_usage *out, struct err *err)
{
	int64_t now = maildir_now_ms();

	/* Without indexes only the times of the directories tell what happened to unloaded ones. */
	if (!s->pool->set.index_root.n || s->usage_until <= now) {
		int r = usage_read(s, err);
		if (r < 0)
			return r;
		s->usage_until = now + USAGE_TRUST_MS;
	}
	struct store_usage sum = { 0 };
	for (struct map_slot *it = map_next(&s->usage, NULL); it; it = map_next(&s->usage, it)) {
		const struct usage_entry *e = it->value;
		sum.messages += e->sum.messages;
		sum.bytes += e->sum.bytes;
	}
	LIST_FOREACH (it, &s->boxes) {
		const struct maildir_box *mb = LIST_ITEM(it, struct maildir_box, node);
		const struct usage_entry *e = map_get(&s->usage, str_from(mb->dir));
		if (mb->base.stale)
			continue;
		sum.messages += sum_of(mb).messages - (e ? e->sum.messages : 0);
		sum.bytes += sum_of(mb).bytes - (e ? e->sum.bytes : 0);
	}
	*out = sum;
	return 0;
}

/* The times of the directory change, so that everybody compares it with what he knows. */
static void touch_box(struct store *s, const char *dir)
{
	char path[320];
	snprintf(path, sizeof(path), "%s/cur/.posthorn-recount", dir);
	auto_close int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)unlinkat(s->fd, path, 0);
}

int store_usage_recount(struct store *s, struct store_usage *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box_list boxes;
	int r = store_box_list(s, &a, &boxes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < boxes.n; i++) {
		const char *dir;
		if (boxes.v[i].attrs & STORE_BOX_EXISTS &&
		    maildir_dir_of(s, boxes.v[i].name, &a, &dir, NULL) == 0)
			touch_box(s, dir);
	}
	s->usage_until = 0;
	return store_usage(s, out, err);
}
