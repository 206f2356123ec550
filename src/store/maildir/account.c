/* The pool of a process and the accounts in it. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"

#define LOADED_MAX   256
#define LOADED_BYTES ((size_t)64 << 20)
#define UNUSED_MAX   256

static const struct store_special default_special[] = {
	{ STR_INIT("Drafts"), STORE_BOX_DRAFTS },
	{ STR_INIT("Junk"), STORE_BOX_JUNK },
	{ STR_INIT("Trash"), STORE_BOX_TRASH },
	{ STR_INIT("Sent"), STORE_BOX_SENT },
};

struct store_pool *store_pool_new(const struct store_settings *set)
{
	struct store_pool *p = calloc(1, sizeof(*p));
	if (!p)
		check_no_memory();
	p->set = *set;
	p->set.host =
		arena_str(&p->arena, set->host.n ? str_sub(set->host, 0, 64) : STR("localhost"));
	if (!set->loaded_max)
		p->set.loaded_max = LOADED_MAX;
	if (!set->loaded_bytes)
		p->set.loaded_bytes = LOADED_BYTES;
	if (!set->special) {
		p->set.special = default_special;
		p->set.nspecial = ARRAY_LEN(default_special);
	} else {
		struct store_special *own =
			ARENA_NEW_ARRAY(&p->arena, struct store_special, set->nspecial);
		for (size_t i = 0; i < set->nspecial; i++)
			own[i] = (struct store_special){ arena_str(&p->arena, set->special[i].name),
							 set->special[i].attr };
		p->set.special = own;
	}
	map_init(&p->stores);
	list_init(&p->idle);
	list_init(&p->unused);
	list_init(&p->settling);
	maildir_notice_init(p);
	p->set.index_root = arena_str(&p->arena, set->index_root);
	store_index_boot_id(p->boot, set->boot);
	return p;
}

static void store_free(struct store *s)
{
	if (map_get(&s->pool->stores, str_from(s->path)) == s)
		map_remove(&s->pool->stores, str_from(s->path));
	maildir_usage_done(s);
	close(s->fd);
	if (s->index_fd >= 0)
		close(s->index_fd);
	free(s->path);
	free(s);
}

static void take_unused(struct store *s)
{
	if (list_empty(&s->unused))
		return;
	list_remove(&s->unused);
	s->pool->nunused--;
}

static void free_oldest_unused(struct store_pool *p)
{
	struct store *s = LIST_ITEM(p->unused.next, struct store, unused);
	take_unused(s);
	store_free(s);
}

void maildir_store_unused(struct store *s)
{
	struct store_pool *p = s->pool;
	if (s->refs > 0 || !list_empty(&s->boxes))
		return;
	take_unused(s);
	dotlock_source_done(&s->lock_source);
	if (map_get(&p->stores, str_from(s->path)) != s) {
		store_free(s); /* its directory was replaced */
		return;
	}
	list_append(&p->unused, &s->unused);
	if (++p->nunused > UNUSED_MAX)
		free_oldest_unused(p);
}

void store_pool_free(struct store_pool *p)
{
	if (!p)
		return;
	while (!list_empty(&p->idle)) {
		struct maildir_box *mb = LIST_ITEM(p->idle.next, struct maildir_box, idle);
		struct store *s = mb->store;
		maildir_box_free_idle(mb);
		maildir_store_unused(s);
	}
	while (p->nunused)
		free_oldest_unused(p);
	check(p->stores.count == 0);
	map_done(&p->stores);
	maildir_notice_done(p);
	arena_done(&p->arena);
	free(p);
}

/* cur/, new/ and tmp/ of the inbox, and home/ for the user's filters. */
static int make_account(const char *path, struct err *err)
{
	static const char *const dirs[] = { "cur", "new", "tmp", "home" };
	int r = fd_make_dirs(path, 0700, err);
	if (r < 0)
		return r;
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s", path);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(fd, dirs[i], 0700) < 0 && errno != EEXIST)
			return err_sys(err, "%s/%s: create", path, dirs[i]);
	return take_fd(&fd);
}

static bool path_is_clean(struct str path)
{
	struct str rest = str_skip(path, 1), part;
	bool more = true;
	if (path.n < 2 || path.p[0] != '/' || memchr(path.p, '\0', path.n))
		return false;
	while (more) {
		more = str_cut(rest, '/', &part, &rest);
		if (str_eq(part, STR("..")) || str_eq(part, STR(".")))
			return false;
	}
	return true;
}

/* The account's directory was removed, and perhaps made again: what is loaded belongs to the old
 * one. */
static void forget_if_replaced(struct store *s)
{
	struct stat ours, there;
	if (fstat(s->fd, &ours) == 0 && stat(s->path, &there) == 0 && ours.st_ino == there.st_ino &&
	    ours.st_dev == there.st_dev)
		return;
	map_remove(&s->pool->stores, str_from(s->path));
	s->refs++;
	LIST_FOREACH_SAFE (it, &s->boxes)
		maildir_box_detach(LIST_ITEM(it, struct maildir_box, node));
	store_close(s);
}

/* The sum that programs with a Maildir++ quota keep, Dovecot among them. It would be wrong after
 * our first change; where it is missing they count again. */
static void remove_foreign_count(int fd)
{
	(void)unlinkat(fd, "maildirsize", 0);
}

int store_open(struct store_pool *p, struct str path, struct store **out, struct err *err)
{
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	if (!path_is_clean(path))
		return err_set(err, -EINVAL, "not an absolute path of an account");

	struct store *s = map_get(&p->stores, path);
	if (s) {
		take_unused(s);
		forget_if_replaced(s);
	}
	s = map_get(&p->stores, path);
	if (!s) {
		auto_free char *copy = strndup(path.p, path.n);
		if (!copy)
			check_no_memory();
		int fd = make_account(copy, err);
		if (fd < 0)
			return fd;
		s = calloc(1, sizeof(*s));
		if (!s)
			check_no_memory();
		s->pool = p;
		s->fd = fd;
		remove_foreign_count(fd);
		s->index_fd = -1;
		s->path = take_ptr(&copy);
		dotlock_source_init(&s->lock_source, fd);
		list_init(&s->boxes);
		list_init(&s->watchers);
		list_init(&s->unused);
		map_init(&s->usage);
		map_put(&p->stores, str_from(s->path), s);
	}
	s->refs++;
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	check(s->refs > 0);
	s->refs--;
	maildir_store_unused(s);
}

bool store_has_modseq(const struct store *s)
{
	return s->pool->set.index_root.n > 0;
}

void maildir_report(const struct store *s, enum store_report kind, const char *dir, const char *fmt,
		    ...)
{
	if (!s->pool->set.report)
		return;
	char what[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	s->pool->set.report(s->pool->set.report_ctx, kind, s->path, dir, what);
}
