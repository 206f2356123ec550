/* dovecot-keywords on disk. */

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/keyword_file.h"
#include "store/maildir/maildir.h"
#include "store/name.h"

#define KEYWORDS      "dovecot-keywords"
#define KEYWORDS_LOCK "dovecot-keywords.lock"
#define KEYWORDS_MAX  ((size_t)65536)

static bool table_eq(const struct keyword_table *a, const struct keyword_table *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!str_eq(a->names[i], b->names[i]))
			return false;
	return true;
}

void maildir_keywords_read(struct maildir_box *mb)
{
	struct stat st;
	if (fstatat(mb->fd, KEYWORDS, &st, 0) < 0)
		return; /* what we know is written with the next new keyword */
	struct file_mark *old = &mb->keywords;
	if (st.st_ino == old->ino && st.st_size == old->size && timespec_eq(st.st_mtim, old->mtime))
		return;

	auto_arena struct arena a = ARENA_INIT;
	auto_close int fd = openat(mb->fd, KEYWORDS, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct str text;
	if (fd < 0 || fd_read_all(fd, &a, KEYWORDS_MAX, &text, NULL) < 0) {
		maildir_report(mb->store, STORE_DAMAGED, mb->dir, "keywords cannot be read");
		return;
	}
	struct keyword_table table;
	unsigned wrong = keyword_file_parse(text, &mb->arena, &table);
	if (wrong)
		maildir_report(mb->store, STORE_DAMAGED, mb->dir, "keywords: %u unusable lines",
			       wrong);
	if (!table_eq(&table, &mb->base.keywords)) {
		mb->base.keywords = table;
		mb->base.keywords_gen++;
	}
	*old = (struct file_mark){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

/* A bit no file uses: letters without a name may be left from a lost keyword file. */
static int unused_bit(const struct maildir_box *mb)
{
	const struct store_messages *m = &mb->base.messages;
	uint32_t used = 0;
	for (uint32_t i = 0; i < m->n; i++)
		used |= m->v[i].keywords;
	int bit = keyword_table_free_bit(&mb->base.keywords);
	while (bit >= 0 && bit < STORE_KEYWORDS_MAX && used & 1u << bit)
		bit++;
	return bit < STORE_KEYWORDS_MAX ? bit : -1;
}

static int add_keyword(struct maildir_box *mb, struct str name, struct err *err)
{
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	int r = dotlock_take(&lock, mb->fd, KEYWORDS_LOCK, err);
	if (r < 0)
		return r;
	maildir_keywords_read(mb);
	int bit = keyword_table_find(&mb->base.keywords, name);
	if (bit >= 0)
		return bit;
	bit = unused_bit(mb);
	if (bit < 0)
		return err_set(err, -E2BIG, "%s: more than %d keywords", mb->name,
			       STORE_KEYWORDS_MAX);

	struct keyword_table table = mb->base.keywords;
	table.names[bit] = arena_str(&mb->arena, name);
	table.n = (unsigned)bit + 1;
	auto_buf struct buf text;
	buf_init(&text, NULL, KEYWORDS_MAX);
	keyword_file_write(&text, &table);
	r = dotlock_replace(&lock, KEYWORDS, buf_str(&text), err);
	if (r < 0)
		return r;
	mb->base.keywords = table;
	mb->base.keywords_gen++;
	return bit;
}

int maildir_keyword_bit(struct maildir_box *mb, struct str name, bool create, struct err *err)
{
	int bit = keyword_table_find(&mb->base.keywords, name);
	if (bit >= 0)
		return bit;
	if (!store_keyword_is_valid(name))
		return err_set(err, -EINVAL, "not a keyword");
	if (!create)
		return err_set(err, -ENOENT, "no such keyword");
	return add_keyword(mb, name, err);
}
