/* Mail from the queue. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"
#include "store/maildir/writer.h"

/* Where a delivery goes: a loaded mailbox, or only a directory. */
struct target {
	struct maildir_box *mb; /* pinned, or NULL */
	const char *dir;
	int fd;
	bool own_fd;
	struct str name; /* of the file, up to its sizes */
};

static void target_done(struct target *t)
{
	if (t->mb)
		maildir_box_release(t->mb);
	if (t->own_fd)
		close(t->fd);
}

static int open_target(struct store *s, const struct store_delivery *d, struct arena *a,
		       struct target *t, struct err *err)
{
	*t = (struct target){ .fd = -1 };
	int r = maildir_dir_of(s, d->box, a, &t->dir, err);
	if (r < 0)
		return r;

	/* An index is told of every message. Finding an earlier copy, or a letter for a keyword,
	 * takes a loaded mailbox. */
	if (s->pool->set.index_root.n || maildir_box_loaded(s, d->box) || !d->first_attempt ||
	    d->mark.nkeywords) {
		r = maildir_box_get(s, d->box, &t->mb, err);
		if (r == 0)
			t->fd = t->mb->fd;
		return r;
	}
	if (strcmp(t->dir, ".") == 0) {
		t->fd = s->fd;
		return maildir_folder_complete(s->fd, t->dir, err);
	}
	t->fd = maildir_folder_open(s, t->dir, err);
	t->own_fd = t->fd >= 0;
	return t->fd < 0 ? t->fd : 0;
}

static int open_or_create(struct store *s, const struct store_delivery *d, struct arena *a,
			  struct target *t, struct err *err)
{
	int r = open_target(s, d, a, t, err);
	if (r != -ENOENT || !d->create)
		return r;
	r = maildir_folder_make(s, d->box, err);
	if (r == 0)
		r = store_box_subscribe(s, d->box, true, err);
	return r < 0 ? r : open_target(s, d, a, t, err);
}

/* A delivery's name up to the host, unique by itself: a container that is made anew after a crash
 * has another host name. */
static struct str delivery_prefix(const struct store_delivery *d, char out[static 64])
{
	unsigned long long micros = d->id >> 12;
	char part[16] = "";
	if (d->part)
		snprintf(part, sizeof(part), "_%u", d->part);
	int n = snprintf(out, 64, "%llu.M%lluP%u%s.", micros / 1000000, micros % 1000000,
			 (unsigned)(d->id & 0xfff), part);
	return str_of(out, (size_t)n);
}

static struct str delivery_name(const struct store *s, const struct store_delivery *d,
				char out[static 128])
{
	char prefix[64];
	int n = snprintf(out, 128, "%" STR_FMT "%" STR_FMT, STR_ARG(delivery_prefix(d, prefix)),
			 STR_ARG(s->pool->set.host));
	return str_of(out, (size_t)n);
}

static int write_tmp(struct message_writer *w, int boxfd, struct str unique,
		     const struct store_delivery *d, struct err *err)
{
	int r = message_writer_begin(w, boxfd, unique, STORE_LINES_BINARY, err);
	if (r == 0)
		r = message_writer_put(w, d->head, err);
	if (r == 0)
		r = message_writer_put_file(w, d->fd, d->offset, d->length, err);
	if (r == 0)
		r = message_writer_end(w, err);
	return r;
}

/* Never in the place of another message, as far as the file system can promise it: ids come again
 * when the clock is set back (-EEXIST). */
static int place(int dirfd, const char *from, const char *to, struct err *err)
{
	int r = renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE);

	if (r < 0 && (errno == EINVAL || errno == ENOSYS))
		r = renameat(dirfd, from, dirfd, to);
	return r < 0 ? err_sys(err, "%s: rename", from) : 0;
}

/* Put the finished file in place. With the UID list in our hands it gets its UID at once;
 * otherwise the next scan gives it one. */
static int publish(struct target *t, struct message_writer *w, struct maildir_new *new,
		   struct store_delivered *out, struct err *err)
{
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	struct maildir_path path;
	if (!maildir_path_make(&path, new->in_new, new->base, new->letters, new->keywords))
		return err_set(err, -ENAMETOOLONG, "file name too long");

	bool numbered = t->mb && maildir_add_begin(t->mb, &lock, NULL) == 0;
	int r = place(t->fd, w->path, path.p, err);
	if (r < 0)
		return r;
	message_writer_close(w);
	if (!t->mb)
		return 0;
	if (numbered) {
		uint32_t uid = t->mb->base.uidnext;
		r = maildir_add(t->mb, new, 1, err);
		if (r < 0) {
			(void)unlinkat(t->fd, path.p, 0);
			return r;
		}
		out->uid = uid;
	} else {
		t->mb->rescan = true;
	}
	store_box_notify(&t->mb->base, NULL);
	return 0;
}

static int deliver_as(struct store *s, const struct store_delivery *d, struct target *t,
		      struct store_delivered *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct message_writer w;
	struct mime_facts facts;
	struct maildir_marks marks = { maildir_letters_with_flags(0, d->mark.flags), 0 };
	if (t->mb) /* mail does not wait for a keyword */
		(void)maildir_mark(t->mb, &d->mark, &marks, NULL);

	int r = write_tmp(&w, t->fd, t->name, d, err);
	if (r == 0) {
		struct maildir_new new = {
			.base = arena_printf(&a, "%" STR_FMT ",S=%llu,W=%llu", STR_ARG(t->name),
					     (unsigned long long)w.size,
					     (unsigned long long)w.wire_size),
			.letters = marks.letters,
			.keywords = marks.keywords,
			.size = w.size,
			.wire_size = w.wire_size,
			.date = INT64_MIN,
			.in_new = !marks.letters && !marks.keywords,
		};
		if (t->mb && maildir_facts_make(&w, &a, &facts, NULL) == 0)
			new.facts.made = &facts;
		bool counted = !t->mb && maildir_usage_is_current(s, t->dir, t->fd);
		out->size = w.wire_size;
		r = publish(t, &w, &new, out, err);
		if (r == 0 && counted)
			maildir_usage_arrived(s, t->dir, t->fd, out->size);
	}
	if (r < 0)
		message_writer_abort(&w);
	return r;
}

static int deliver_new(struct store *s, const struct store_delivery *d, struct target *t,
		       struct store_delivered *out, struct err *err)
{
	char name[128];

	t->name = delivery_name(s, d, name);
	int r = deliver_as(s, d, t, out, err);
	if (r == -EEXIST) { /* another message has it */
		t->name = maildir_unique_name(s->pool, name);
		r = deliver_as(s, d, t, out, err);
	}
	return r;
}

/* Are the contents of the file at `path` those that were just written to `fd`? */
static bool is_same_file(int dirfd, const char *path, int fd)
{
	char a[1536], b[sizeof(a)];
	off_t at = 0;

	auto_close int there = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (there < 0)
		return false;
	for (;;) {
		ssize_t n = pread(fd, a, sizeof(a), at);
		if (n < 0 || pread(there, b, sizeof(b), at) != n)
			return false;
		if (n == 0)
			return true;
		if (memcmp(a, b, (size_t)n) != 0)
			return false;
		at += n;
	}
}

/* It is there already, by name. A power cut may have left the file short, or with nothing but zeros
 * in it, so it is compared with what it should be, and replaced. */
static int deliver_again(const struct store_delivery *d, struct target *t, struct store_rec *rec,
			 struct store_delivered *out, struct err *err)
{
	struct maildir_path path;
	struct message_writer w;
	char unique[128];

	*out = (struct store_delivered){ rec->uid, true, store_rec_wire_size(rec) };
	maildir_rec_path(&t->mb->base.messages, rec, &path);
	int r = write_tmp(&w, t->fd, maildir_unique_name(t->mb->store->pool, unique), d, err);
	if (r == 0 && is_same_file(t->fd, path.p, w.fd)) {
		message_writer_abort(&w);
		return 0;
	}
	if (r == 0 && renameat(t->fd, w.path, t->fd, path.p) < 0)
		r = err_sys(err, "%s: rename", w.path);
	if (r < 0) {
		message_writer_abort(&w);
		return r;
	}
	out->size = w.wire_size;
	store_messages_set_sizes(&t->mb->base.messages, rec, w.size, w.wire_size);
	rec->facts = 0;
	store_box_touch(&t->mb->base, rec);
	message_writer_close(&w);
	t->mb->rescan = true;
	return 0;
}

/* What an earlier attempt left: as a rule under the same name. */
static struct store_rec *find_delivered(const struct store *s, const struct store_delivery *d,
					const struct store_messages *m)
{
	char text[128];
	struct store_rec *rec = store_messages_by_unique(m, delivery_name(s, d, text));

	return rec ? rec : store_messages_by_prefix(m, delivery_prefix(d, text));
}

static int deliver_into(struct store *s, const struct store_delivery *d, struct target *t,
			struct store_delivered *out, struct err *err)
{
	*out = (struct store_delivered){ 0 };
	if (d->first_attempt)
		return deliver_new(s, d, t, out, err);

	int r = maildir_box_refresh(t->mb, err);
	if (r < 0)
		return r;
	struct store_rec *rec = find_delivered(s, d, &t->mb->base.messages);
	return rec ? deliver_again(d, t, rec, out, err) : deliver_new(s, d, t, out, err);
}

int store_deliver(struct store *s, const struct store_delivery *d, struct store_delivered *out,
		  struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct target t;
	struct store_delivered done;
	int r = open_or_create(s, d, &a, &t, err);
	if (r < 0)
		return r;
	r = deliver_into(s, d, &t, &done, err);
	target_done(&t);
	if (r == 0)
		*out = done;
	return r;
}
