/* A whole Maildir as other programs may leave it: opened, changed and opened again. Every message
 * keeps its UID, and what was done is there.
 *
 * The input is cut at NUL: dovecot-uidlist, dovecot-keywords, then names of files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "scratch_dir.h"
#include "store/store.h"

#define FILES_MAX 40

static struct str next_piece(struct str *rest)
{
	struct str piece;

	if (!str_cut(*rest, '\0', &piece, rest))
		*rest = STR_NONE;
	return piece;
}

static void write_file(int dirfd, const char *name, struct str text)
{
	auto_close int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)!fd_write_all(fd, text, NULL);
}

static void add_message(int dirfd, struct str name)
{
	char path[300];
	/* Long names leave no room for flags. */
	bool usable = name.n > 0 && name.n <= 200 && str_find_byte(name, '/') < 0 &&
		      !str_eq(name, STR(".")) && !str_eq(name, STR(".."));

	if (!usable)
		return;
	/* Without flags it may as well be new. */
	const char *dir = str_find_byte(name, ':') < 0 && name.n % 2 ? "new" : "cur";
	snprintf(path, sizeof(path), "%s/%" STR_FMT, dir, STR_ARG(name));
	write_file(dirfd, path, STR("Subject: x\n\nbody\n"));
}

static void make_maildir(const char *path, struct str input)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	auto_close int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(dirfd >= 0);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		check(mkdirat(dirfd, parts[i], 0700) == 0);
	struct str uidlist = next_piece(&input), keywords = next_piece(&input);
	if (uidlist.n)
		write_file(dirfd, "dovecot-uidlist", uidlist);
	if (keywords.n)
		write_file(dirfd, "dovecot-keywords", keywords);
	for (int i = 0; i < FILES_MAX && input.n; i++)
		add_message(dirfd, next_piece(&input));
}

struct picture {
	struct store_status status;
	uint32_t uids[FILES_MAX];
	uint32_t flags[FILES_MAX];
	uint32_t n;
};

static void look(struct store_view *v, struct picture *out)
{
	struct store_message m;
	struct err err;

	*out = (struct picture){ .n = store_view_count(v) };
	check(out->n <= FILES_MAX);
	store_view_status(v, &out->status);
	for (uint32_t i = 0; i < out->n; i++) {
		check(store_view_message_full(v, i + 1, &m, &err) == 0);
		check(m.uid && m.uid < out->status.uidnext);
		check(i == 0 || m.uid > out->uids[i - 1]);
		out->uids[i] = m.uid;
		out->flags[i] = m.flags & ~(uint32_t)STORE_RECENT;
	}
}

static void change(struct store_view *v, const struct picture *before)
{
	struct store_uid_range all = { 1, UINT32_MAX };
	struct store_uids set = { .v = &all, .n = 1, .cap = 1 };
	struct store_change c = { .op = STORE_FLAGS_ADD, .flags = STORE_FLAGGED };
	struct err err;

	check(store_view_change(v, &set, &c, NULL, &err) == 0);
	if (before->n < 2)
		return;
	all = (struct store_uid_range){ before->uids[0], before->uids[0] };
	check(store_view_remove(v, &set, &err) == 1);
}

static void assert_changed(const struct picture *before, const struct picture *after)
{
	uint32_t gone = before->n >= 2;

	/* Near the end of all UIDs a mailbox is numbered anew. */
	if (before->status.uidnext > UINT32_MAX - 1000001)
		return;
	check(after->n == before->n - gone);
	check(after->status.uidvalidity == before->status.uidvalidity);
	check(after->status.uidnext >= before->status.uidnext);
	for (uint32_t i = 0; i < after->n; i++) {
		check(after->uids[i] == before->uids[i + gone]);
		check(after->flags[i] == (before->flags[i + gone] | STORE_FLAGGED));
	}
}

/* Each time in a process, as it were, of its own: nothing is remembered but on disk. */
static bool visit(const char *path, const struct picture *before, struct picture *now)
{
	struct store_pool *pool = store_pool_new(&(struct store_settings){ .host = STR("host") });
	struct store_view *v = NULL;
	struct store *store;
	struct err err;
	bool opened = false;

	if (store_open(pool, str_from(path), &store, &err) == 0) {
		opened = store_view_open(store, STR("INBOX"), 0, &v, &err) == 0;
		if (opened)
			look(v, now);
		if (opened && !before)
			change(v, now);
		store_view_close(v);
		store_close(store);
	}
	store_pool_free(pool);
	return opened;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct scratch_dir dir = { 0 };
	struct picture first, second;

	if (!scratch_dir_make(&dir))
		return 0;
	make_maildir(dir.path, str_of((const char *)data, n));
	if (visit(dir.path, NULL, &first)) {
		check(visit(dir.path, &first, &second));
		assert_changed(&first, &second);
	}
	scratch_dir_remove(&dir);
	return 0;
}
