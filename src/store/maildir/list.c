/* The list of mailboxes, and renaming, which goes by that list. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/disk_name.h"
#include "store/maildir/maildir.h"
#include "store/maildir/subscription_file.h"
#include "store/name.h"

/* INBOX, folders, their missing parents and subscriptions. */
#define ENTRIES_MAX (STORE_BOXES_MAX * 3)

struct entry {
	struct store_box_entry pub;
	const char *dir;
	struct entry *next;
};

struct listing {
	struct store *store;
	struct arena *a;
	struct map names; /* name -> struct entry */
	struct entry *first;
	size_t n;
};

/* NULL when there are too many. */
static struct entry *entry_of(struct listing *l, struct str name)
{
	struct entry *e = map_get(&l->names, name);
	if (e || l->n == ENTRIES_MAX)
		return e;
	e = ARENA_NEW(l->a, struct entry);
	e->pub.name = name;
	e->next = l->first;
	l->first = e;
	l->n++;
	map_put(&l->names, name, e);
	return e;
}

static void add_existing(struct listing *l, struct str name, const char *dir)
{
	struct entry *e = entry_of(l, name);
	if (!e || e->pub.attrs & STORE_BOX_EXISTS)
		return;
	e->pub.attrs |= STORE_BOX_EXISTS;
	e->dir = dir;
	for (name = store_name_parent(name); name.n; name = store_name_parent(name)) {
		struct entry *parent = entry_of(l, name);
		if (!parent || parent->pub.attrs & STORE_BOX_HAS_CHILDREN)
			break;
		parent->pub.attrs |= STORE_BOX_HAS_CHILDREN;
	}
}

static void take_dir(struct listing *l, int rootfd, const char *file)
{
	char cur[300];
	struct str name;
	if (file[0] != '.' || !file[1] || file[1] == '.')
		return;
	snprintf(cur, sizeof(cur), "%s/cur", file);
	if (faccessat(rootfd, cur, F_OK, 0) < 0)
		return;
	if (!disk_name_parse(str_from(file + 1), l->a, &name) ||
	    !str_eq(name, store_name_canonical(l->a, name)))
		maildir_report(l->store, STORE_DAMAGED, file,
			       "not the name of a mailbox: left out");
	else if (!store_name_is_inbox(name)) /* ".INBOX" would be a second one */
		add_existing(l, name, arena_cstr(l->a, str_from(file)));
}

static int listing_read(struct listing *l, struct err *err)
{
	int fd = openat(l->store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		int r = err_sys(err, "%s", l->store->path);
		if (fd >= 0)
			close(fd);
		return r;
	}
	add_existing(l, STR("INBOX"), ".");
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_type == DT_DIR || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN)
			take_dir(l, fd, e->d_name);
	closedir(d);
	return 0;
}

static int add_subscriptions(struct listing *l, struct err *err)
{
	struct subscription_list subs;
	int r = maildir_subscriptions_read(l->store, l->a, &subs, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < subs.n; i++) {
		struct entry *e = entry_of(l, subs.v[i]);
		if (e)
			e->pub.attrs |= STORE_BOX_SUBSCRIBED;
	}
	return 0;
}

static void add_special(struct listing *l)
{
	const struct store_settings *set = &l->store->pool->set;
	for (size_t i = 0; i < set->nspecial; i++) {
		struct entry *e = map_get(&l->names, set->special[i].name);
		if (e && e->pub.attrs & STORE_BOX_EXISTS)
			e->pub.attrs |= set->special[i].attr;
	}
}

/* What CREATE was told, "\\Archive" or several of them. */
static void add_noted_uses(struct listing *l)
{
	struct store_meta_list notes;
	struct err err;

	/* Without them the list is still good. */
	if (store_meta_list(l->store, l->a, &notes, &err) < 0)
		return;
	for (size_t i = 0; i < notes.n; i++) {
		const struct store_meta *m = &notes.v[i];
		struct entry *e = map_get(&l->names, m->box);
		struct str rest = m->value, word;
		if (!e || !(e->pub.attrs & STORE_BOX_EXISTS) ||
		    !str_eq_nocase(m->entry, STR(STORE_META_SPECIAL_USE)))
			continue;
		while (str_next_word(&rest, &word))
			e->pub.attrs |= store_special_use_parse(word);
	}
}

static int entry_cmp(const void *x, const void *y)
{
	const struct store_box_entry *a = x, *b = y;
	return store_name_cmp(a->name, b->name);
}

int store_box_list(struct store *s, struct arena *a, struct store_box_list *out, struct err *err)
{
	struct listing l = { .store = s, .a = a };
	map_init(&l.names);
	int r = listing_read(&l, err);
	if (r == 0)
		r = add_subscriptions(&l, err);
	if (r == 0) {
		add_special(&l);
		add_noted_uses(&l);
		*out = (struct store_box_list){ .v = ARENA_NEW_ARRAY(a, struct store_box_entry,
								     l.n) };
		for (const struct entry *e = l.first; e; e = e->next)
			out->v[out->n++] = e->pub;
		qsort(out->v, out->n, sizeof(*out->v), entry_cmp);
	}
	map_done(&l.names);
	return r;
}

/* INBOX's messages go; it stays. */
static int rename_inbox(struct store *s, struct str to, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_view *v;
	struct store_copied moved;
	struct store_copy_args args = { .to = to, .a = &a };

	int r = maildir_folder_make(s, to, err);
	if (r < 0)
		return r;
	r = store_view_open(s, STR("INBOX"), STORE_VIEW_KEEP_RECENT, &v, err);
	if (r < 0)
		return r;
	r = store_view_move(v, &args, &moved, err);
	store_view_close(v);
	return r;
}

static struct str new_name(struct arena *a, struct str name, struct str from, struct str to)
{
	struct str tail = str_skip(name, from.n);
	return arena_printf(a, "%" STR_FMT "%" STR_FMT, STR_ARG(to), STR_ARG(tail));
}

/* Refuse before anything was renamed. */
static int rename_check(struct listing *l, struct str from, struct str to, struct err *err)
{
	bool any = false;
	if (store_name_is_below(to, from))
		return err_set(err, -EINVAL, "a mailbox cannot move below itself");
	for (const struct entry *e = l->first; e; e = e->next) {
		struct str name = e->pub.name;
		if (!(e->pub.attrs & STORE_BOX_EXISTS) ||
		    !(str_eq(name, from) || store_name_is_below(name, from)))
			continue;
		const char *dir;
		struct str target = new_name(l->a, name, from, to);
		int r = maildir_dir_of(l->store, target, l->a, &dir, err);
		if (r < 0)
			return r;
		const struct entry *there = map_get(&l->names, target);
		if (there && there->pub.attrs & STORE_BOX_EXISTS)
			return err_set(err, -EEXIST, "mailbox exists");
		any = true;
	}
	return any ? 0 : err_set(err, -ENOENT, "no such mailbox");
}

static int rename_one(struct listing *l, const struct entry *e, struct str target, struct err *err)
{
	struct store *s = l->store;
	const char *dir;
	int r = maildir_dir_of(s, target, l->a, &dir, err);
	if (r < 0)
		return r;

	/* A directory that is no mailbox may be in the way: then this fails, as it should. */
	if (renameat(s->fd, e->dir, s->fd, dir) < 0)
		return err_sys(err, "%s: rename to %s", e->dir, dir);
	s->usage_until = 0;
	struct maildir_box *mb = maildir_box_loaded(s, e->pub.name);
	if (mb)
		maildir_box_renamed(mb, target, dir);
	return 0;
}

static int rename_all(struct listing *l, struct str from, struct str to, struct err *err)
{
	int r = rename_check(l, from, to, err);
	for (const struct entry *e = l->first; e && r == 0; e = e->next) {
		struct str name = e->pub.name;
		if (e->pub.attrs & STORE_BOX_EXISTS &&
		    (str_eq(name, from) || store_name_is_below(name, from)))
			r = rename_one(l, e, new_name(l->a, name, from, to), err);
	}
	return r;
}

int store_box_rename(struct store *s, struct str from, struct str to, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	int r = store_name_check(from, err);
	if (r == 0)
		r = store_name_check(to, err);
	if (r < 0)
		return r;
	from = store_name_canonical(&a, from);
	to = store_name_canonical(&a, to);
	if (store_name_is_inbox(to))
		return err_set(err, -EEXIST, "INBOX exists");
	if (store_name_is_inbox(from))
		return rename_inbox(s, to, err);

	struct listing l = { .store = s, .a = &a };
	map_init(&l.names);
	r = listing_read(&l, err);
	if (r == 0)
		r = rename_all(&l, from, to, err);
	if (r == 0)
		maildir_meta_moved(s, from, to);
	if (r == 0)
		maildir_tell_watchers(s, STORE_WATCH_RENAMED, to, from);
	map_done(&l.names);
	return r;
}
