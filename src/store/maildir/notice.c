/* Noticing at once what other programs do to mailboxes that somebody looks at: inotify (7) on their
 * new/ and cur/. Our own changes are told from theirs by what the events are about: a file that
 * appears where a record says it is, or that disappears from where no record says so, is ours.
 *
 * Where no watch can be had, and on network file systems, which do not tell of other machines, the
 * times of the directories tell, when somebody looks. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "store/maildir/maildir.h"

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

/* Its key in the pool's map is its own number. */
struct maildir_watch {
	struct maildir_box *mb;
	int number;
	bool in_new;
};

void maildir_notice_init(struct store_pool *p)
{
	p->notice_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	map_init(&p->watches);
}

void maildir_notice_done(struct store_pool *p)
{
	if (p->notice_fd >= 0)
		close(p->notice_fd);
	check(p->watches.count == 0);
	map_done(&p->watches);
}

int store_pool_notice_fd(const struct store_pool *p)
{
	return p->notice_fd;
}

static struct str watch_key(const int *number)
{
	return str_of((const char *)number, sizeof(*number));
}

static bool is_network(int fd)
{
	static const unsigned long types[] = {
		0x6969,	    /* NFS */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x65735546, /* FUSE */
		0x00c36400, /* Ceph */
		0x01021997, /* 9P */
	};
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((unsigned long)fs.f_type == types[i])
			return true;
	return false;
}

static bool watch_begin(struct maildir_box *mb, struct maildir_watch **out, bool in_new)
{
	struct store_pool *p = mb->store->pool;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", mb->fd, in_new ? "new" : "cur");
	int number = inotify_add_watch(p->notice_fd, path, EVENTS);
	if (number < 0 || map_get(&p->watches, watch_key(&number)))
		return false;
	struct maildir_watch *w = calloc(1, sizeof(*w));
	if (!w)
		check_no_memory();
	*w = (struct maildir_watch){ mb, number, in_new };
	map_put(&p->watches, watch_key(&w->number), w);
	*out = w;
	return true;
}

static void watch_end(struct store_pool *p, struct maildir_watch **watch)
{
	if (!*watch)
		return;
	(void)inotify_rm_watch(p->notice_fd, (*watch)->number);
	map_remove(&p->watches, watch_key(&(*watch)->number));
	free(*watch);
	*watch = NULL;
}

void maildir_notice_end(struct maildir_box *mb)
{
	if (mb->watch_new && mb->watch_cur)
		store_pool_notice(mb->store->pool);
	watch_end(mb->store->pool, &mb->watch_new);
	watch_end(mb->store->pool, &mb->watch_cur);
}

void maildir_notice_begin(struct maildir_box *mb)
{
	if (mb->watch_new || mb->store->pool->notice_fd < 0 || is_network(mb->fd))
		return;
	if (!watch_begin(mb, &mb->watch_new, true) || !watch_begin(mb, &mb->watch_cur, false))
		maildir_notice_end(mb);
}

/* Is the file in this directory, by what we know? */
static bool is_where_we_think(const struct maildir_watch *w, struct str file)
{
	const struct store_messages *m = &w->mb->base.messages;
	struct maildir_filename name;
	struct maildir_path path;

	if (!maildir_filename_parse(file, &name))
		return false;
	const struct store_rec *r = store_messages_by_name(m, name.base);
	if (!r)
		r = store_messages_ghost(m, name.base);
	if (!r)
		return false;
	maildir_rec_path(m, r, &path);
	return (path.p[0] == 'n') == w->in_new && str_eq(str_from(path.p + 4), file);
}

static void take_event(struct store_pool *p, const struct inotify_event *e)
{
	struct maildir_watch *w = map_get(&p->watches, watch_key(&e->wd));
	if (!w || e->len == 0 || w->mb->rescan)
		return;
	bool appeared = e->mask & (IN_CREATE | IN_MOVED_TO);
	if (is_where_we_think(w, str_from(e->name)) == appeared)
		return;
	w->mb->rescan = true;
	store_box_notify(&w->mb->base, NULL);
}

static void overflow(struct store_pool *p)
{
	for (struct map_slot *it = map_next(&p->watches, NULL); it;
	     it = map_next(&p->watches, it)) {
		struct maildir_watch *w = it->value;
		w->mb->rescan = true;
		store_box_notify(&w->mb->base, NULL);
	}
}

void store_pool_notice(struct store_pool *p)
{
	_Alignas(struct inotify_event) char bytes[3072];
	ssize_t n;

	while ((n = read(p->notice_fd, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *e;
		for (char *at = bytes; at < bytes + n; at += sizeof(*e) + e->len) {
			e = (const void *)at;
			if (e->mask & IN_Q_OVERFLOW)
				overflow(p);
			else
				take_event(p, e);
		}
	}
}
