/* Who else may use a mailbox: `dovecot-acl` in its directory, as Dovecot keeps it. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/acl_file.h"
#include "store/maildir/maildir.h"

#define ACL	   "dovecot-acl"
#define ACL_LOCK   "dovecot-acl.lock"
#define FILE_BYTES ((size_t)1 << 20)

static int open_box(struct store *s, struct str box, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *dir;

	int r = maildir_dir_of(s, box, &a, &dir, err);
	return r < 0 ? r : maildir_folder_open(s, dir, err);
}

static int read_acl(struct store *s, int fd, struct arena *a, struct store_acl *out,
		    struct err *err)
{
	struct str text;

	*out = (struct store_acl){ 0 };
	auto_close int file = openat(fd, ACL, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return errno == ENOENT ? 0 : err_sys(err, ACL);
	int r = fd_read_all(file, a, FILE_BYTES, &text, err);
	if (r < 0)
		return r;
	unsigned wrong = acl_file_parse(text, a, out);
	if (wrong)
		maildir_report(s, STORE_DAMAGED, ACL, "%u lines cannot be read", wrong);
	return 0;
}

int store_acl_read(struct store *s, struct str box, struct arena *a, struct store_acl *out,
		   struct err *err)
{
	auto_close int fd = open_box(s, box, err);
	return fd < 0 ? fd : read_acl(s, fd, a, out, err);
}

static struct store_acl_entry *find(struct store_acl *acl, const struct store_acl_entry *e)
{
	for (size_t i = 0; i < acl->n; i++)
		if (acl->v[i].negative == e->negative && str_eq_nocase(acl->v[i].id, e->id))
			return &acl->v[i];
	return NULL;
}

static int apply(struct store_acl *acl, const struct store_acl_change *c, struct arena *a,
		 struct err *err)
{
	struct store_acl_entry *e = find(acl, &c->entry);

	if (c->op == STORE_ACL_DELETE) {
		if (e)
			*e = acl->v[--acl->n];
		return 0;
	}
	if (!e) {
		if (acl->n == STORE_ACL_MAX)
			return err_set(err, -E2BIG, "more than %d identifiers", STORE_ACL_MAX);
		struct store_acl_entry *v = ARENA_NEW_ARRAY(a, struct store_acl_entry, acl->n + 1);
		if (acl->n)
			memcpy(v, acl->v, acl->n * sizeof(*v));
		acl->v = v;
		e = &v[acl->n++];
		*e = (struct store_acl_entry){ .id = c->entry.id, .negative = c->entry.negative };
	}
	if (c->op == STORE_ACL_ADD)
		e->rights |= c->entry.rights;
	else if (c->op == STORE_ACL_REMOVE)
		e->rights &= ~c->entry.rights;
	else
		e->rights = c->entry.rights;
	if (!e->rights)
		*e = acl->v[--acl->n];
	return 0;
}

int store_acl_change(struct store *s, struct str box, const struct store_acl_change *c,
		     struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct store_acl acl;
	struct buf text;

	auto_close int fd = open_box(s, box, err);
	if (fd < 0)
		return fd;
	int r = dotlock_take(&lock, fd, ACL_LOCK, err);
	if (r == 0)
		r = read_acl(s, fd, &a, &acl, err);
	if (r == 0)
		r = apply(&acl, c, &a, err);
	if (r < 0)
		return r;
	buf_init(&text, &a, FILE_BYTES);
	acl_file_write(&text, &acl);
	return dotlock_replace(&lock, ACL, buf_str(&text), err);
}
