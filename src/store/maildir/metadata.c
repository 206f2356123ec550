/* What clients noted about mailboxes and the account: one small file beside the mail. */

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"
#include "store/maildir/metadata_file.h"
#include "store/name.h"

#define METADATA      "posthorn-metadata"
#define METADATA_LOCK "posthorn-metadata.lock"

int store_meta_list(struct store *s, struct arena *a, struct store_meta_list *out, struct err *err)
{
	struct str text;

	*out = (struct store_meta_list){ 0 };
	auto_close int fd = openat(s->fd, METADATA, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s/" METADATA, s->path);
	int r = fd_read_all(fd, a, STORE_META_BYTES_MAX, &text, err);
	if (r < 0)
		return err_prefix(err, "%s/" METADATA, s->path);
	unsigned wrong = metadata_file_parse(text, a, out);
	if (wrong)
		maildir_report(s, STORE_DAMAGED, METADATA, "%u lines cannot be read", wrong);
	return 0;
}

static size_t find(const struct store_meta_list *l, struct str box, struct str entry)
{
	size_t i = 0;

	while (i < l->n && !(str_eq(l->v[i].box, box) && str_eq_nocase(l->v[i].entry, entry)))
		i++;
	return i;
}

static int apply(struct store_meta_list *l, struct arena *a, const struct store_meta *m,
		 struct err *err)
{
	size_t at = find(l, m->box, m->entry);

	if (!m->value.p) {
		if (at < l->n)
			l->v[at] = l->v[--l->n];
		return 0;
	}
	if (at < l->n) {
		l->v[at].value = m->value;
		return 0;
	}
	if (l->n == STORE_META_ENTRIES_MAX)
		return err_set(err, -E2BIG, "more than %d entries", STORE_META_ENTRIES_MAX);
	struct store_meta *v = ARENA_NEW_ARRAY(a, struct store_meta, l->n + 1);
	if (l->n)
		memcpy(v, l->v, l->n * sizeof(*v));
	v[l->n++] = *m;
	l->v = v;
	return 0;
}

static int write_all(struct dotlock *lock, const struct store_meta_list *l, struct arena *a,
		     struct err *err)
{
	struct buf text;

	buf_init(&text, a, STORE_META_BYTES_MAX);
	metadata_file_write(&text, l);
	if (buf_failed(&text))
		return err_set(err, -E2BIG, METADATA " would be larger than %zu bytes",
			       STORE_META_BYTES_MAX);
	return dotlock_replace(lock, METADATA, buf_str(&text), err);
}

int store_meta_set(struct store *s, const struct store_meta *v, size_t n, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct store_meta_list l;

	int r = dotlock_take(&lock, s->fd, METADATA_LOCK, err);
	if (r == 0)
		r = store_meta_list(s, &a, &l, err);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct store_meta m = v[i];
		if (m.box.n && (r = store_box_check(s, m.box, err)) < 0)
			break;
		m.box = store_name_canonical(&a, m.box);
		r = apply(&l, &a, &m, err);
	}
	return r < 0 ? r : write_all(&lock, &l, &a, err);
}

/* The mailbox itself or, in a rename, one below it. */
static bool concerns(struct str box, struct str name, bool below)
{
	return box.n && (str_eq(box, name) || (below && store_name_is_below(box, name)));
}

static bool any_concerned(struct store *s, struct str name, bool below)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_meta_list l;
	struct err err;

	if (store_meta_list(s, &a, &l, &err) < 0)
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (concerns(l.v[i].box, name, below))
			return true;
	return false;
}

static int rewrite(struct store *s, struct str from, struct str to, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct store_meta_list l;
	size_t kept = 0;

	int r = dotlock_take(&lock, s->fd, METADATA_LOCK, err);
	if (r == 0)
		r = store_meta_list(s, &a, &l, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l.n; i++) {
		struct store_meta m = l.v[i];
		if (concerns(m.box, from, to.n > 0)) {
			if (!to.n)
				continue;
			m.box = arena_printf(&a, "%" STR_FMT "%" STR_FMT, STR_ARG(to),
					     STR_ARG(str_skip(m.box, from.n)));
		}
		l.v[kept++] = m;
	}
	l.n = kept;
	return write_all(&lock, &l, &a, err);
}

void maildir_meta_moved(struct store *s, struct str from, struct str to)
{
	struct err err;

	if (any_concerned(s, from, to.n > 0) && rewrite(s, from, to, &err) < 0)
		maildir_report(s, STORE_DAMAGED, METADATA,
			       "keeps the notes of a mailbox that was "
			       "renamed or deleted: %s",
			       err.text);
}
