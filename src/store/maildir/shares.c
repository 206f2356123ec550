/* Which accounts share something with whom: a file for all accounts, in the form of Dovecot's
 * acl_shared_dict. It only says where to look; what is allowed stands in each mailbox's ACL. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/dotlock.h"
#include "store/store.h"

#define SHARES	    "shared-mailboxes.db"
#define SHARES_LOCK "shared-mailboxes.db.lock"
#define FILE_BYTES  ((size_t)4 << 20)
#define PREFIX	    "shared/shared-boxes/"

static int open_dir(struct str dir, struct arena *a, struct err *err)
{
	int fd = open(arena_cstr(a, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "%" STR_FMT, STR_ARG(dir)) : fd;
}

static int read_text(int fd, struct arena *a, struct str *out, struct err *err)
{
	*out = STR_NONE;
	auto_close int file = openat(fd, SHARES, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return errno == ENOENT ? 0 : err_sys(err, SHARES);
	return fd_read_all(file, a, FILE_BYTES, out, err);
}

/* A key is "user/bob@example.org/alice@example.org" or "anyone/alice@example.org". */
static bool key_split(struct str line, struct str *with, struct str *owner)
{
	if (!str_starts(line, STR(PREFIX)))
		return false;
	line = str_skip(line, strlen(PREFIX));
	ssize_t slash = str_rfind_byte(line, '/');
	if (slash <= 0)
		return false;
	*with = str_sub(line, 0, (size_t)slash);
	*owner = str_skip(line, (size_t)slash + 1);
	return owner->n > 0;
}

int store_shares_of(struct str dir, struct str user, struct arena *a, struct store_shares *out,
		    struct err *err)
{
	struct str text, with, owner;
	auto_close int fd = open_dir(dir, a, err);
	if (fd < 0)
		return fd;
	int r = read_text(fd, a, &text, err);
	if (r < 0)
		return r;
	struct str me = arena_printf(a, "user/%" STR_FMT, STR_ARG(user));
	*out = (struct store_shares){ .owners = ARENA_NEW_ARRAY(a, struct str, STORE_SHARES_MAX) };
	STR_FOREACH_LINE (text, line) {
		if (!key_split(line, &with, &owner) || str_eq(owner, user) ||
		    !(str_eq(with, me) || str_eq(with, STR("anyone"))))
			continue;
		bool known = false;
		for (size_t i = 0; i < out->n; i++)
			known |= str_eq(out->owners[i], owner);
		if (!known && out->n < STORE_SHARES_MAX)
			out->owners[out->n++] = owner;
	}
	return 0;
}

static void put_share(struct buf *b, struct str id, struct str owner)
{
	buf_puts(b, PREFIX);
	if (str_starts(id, STR("user=")))
		buf_printf(b, "user/%" STR_FMT, STR_ARG(str_skip(id, 5)));
	else
		buf_puts(b, "anyone");
	buf_printf(b, "/%" STR_FMT "\n1\n", STR_ARG(owner));
}

/* Keys and values stand on lines by turns. */
static void put_others(struct buf *b, struct str text, struct str owner)
{
	struct str key, value, with, of;

	while (str_next_line(&text, &key) && str_next_line(&text, &value))
		if (!key_split(key, &with, &of) || !str_eq(of, owner))
			buf_printf(b, "%" STR_FMT "\n%" STR_FMT "\n", STR_ARG(key), STR_ARG(value));
}

int store_shares_set(struct str dir, struct str owner, const struct str *ids, size_t n,
		     struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct str text;
	struct buf b;

	auto_close int fd = open_dir(dir, &a, err);
	if (fd < 0)
		return fd;
	int r = dotlock_take(&lock, fd, SHARES_LOCK, err);
	if (r == 0)
		r = read_text(fd, &a, &text, err);
	if (r < 0)
		return r;
	buf_init(&b, &a, FILE_BYTES);
	put_others(&b, text, owner);
	for (size_t i = 0; i < n; i++)
		put_share(&b, ids[i], owner);
	if (buf_failed(&b))
		return err_set(err, -E2BIG, SHARES " would be too large");
	return dotlock_replace(&lock, SHARES, buf_str(&b), err);
}
