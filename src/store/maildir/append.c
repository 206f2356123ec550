/* APPEND: one or many messages written to tmp/, then made visible together. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/commit.h"
#include "store/maildir/maildir.h"
#include "store/maildir/writer.h"

#define APPEND_MAX 10000 /* messages of one append */

struct pending {
	struct pending *next;
	char path[160]; /* in tmp/ */
	struct maildir_path target;
	struct store_mark mark;
	struct maildir_new new; /* base is "<unique>" until the sizes are known */
};

struct store_append {
	struct store *store;
	struct maildir_box *mb;
	struct arena arena;
	struct pending *first, **end;
	size_t n;
	struct message_writer writer; /* of the last message, while it is open */
	bool failed;
};

int store_append_begin(struct store *s, struct str box, struct store_append **out, struct err *err)
{
	struct maildir_box *mb;
	int r = maildir_box_get(s, box, &mb, err);
	if (r < 0)
		return r;
	struct store_append *ap = calloc(1, sizeof(*ap));
	if (!ap)
		check_no_memory();
	ap->store = s;
	ap->mb = mb;
	ap->end = &ap->first;
	ap->writer.fd = -1;
	s->refs++;
	*out = ap;
	return 0;
}

static void append_free(struct store_append *ap)
{
	struct store *s = ap->store;
	message_writer_abort(&ap->writer);
	maildir_box_release(ap->mb);
	arena_done(&ap->arena);
	free(ap);
	store_close(s);
}

void store_append_abort(struct store_append *ap)
{
	if (!ap)
		return;
	for (struct pending *p = ap->first; p; p = p->next)
		(void)unlinkat(ap->mb->fd, p->path, 0);
	append_free(ap);
}

static struct store_mark copy_mark(struct arena *a, const struct store_mark *from)
{
	struct str *keywords = ARENA_NEW_ARRAY(a, struct str, from->nkeywords);
	for (size_t i = 0; i < from->nkeywords; i++)
		keywords[i] = arena_str(a, from->keywords[i]);
	return (struct store_mark){ from->flags, keywords, from->nkeywords };
}

/* The message that was being written is complete. */
static int end_message(struct store_append *ap, struct err *err)
{
	struct message_writer *w = &ap->writer;
	if (w->fd < 0)
		return 0;
	struct pending *p = CONTAINER_OF(ap->end, struct pending, next);
	int r = message_writer_end(w, err);
	if (r < 0)
		return r;
	if (p->new.date != INT64_MIN) {
		struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = p->new.date } };
		if (futimens(w->fd, times) < 0)
			return err_sys(err, "%s: set date", w->path);
	}
	p->new.size = w->size;
	p->new.wire_size = w->wire_size;
	p->new.base = arena_printf(&ap->arena, "%" STR_FMT ",S=%llu,W=%llu", STR_ARG(p->new.base),
				   (unsigned long long)w->size, (unsigned long long)w->wire_size);
	struct mime_facts *facts = ARENA_NEW(&ap->arena, struct mime_facts);
	if (maildir_facts_make(w, &ap->arena, facts, NULL) == 0)
		p->new.facts.made = facts;
	message_writer_close(w);
	return 0;
}

static int begin_message(struct store_append *ap, const struct store_append_meta *m,
			 struct err *err)
{
	char unique[128];
	int r = end_message(ap, err);
	if (r < 0)
		return r;
	if (ap->n == APPEND_MAX)
		return err_set(err, -E2BIG, "more than %d messages at once", APPEND_MAX);

	struct str name = maildir_unique_name(ap->store->pool, unique);
	r = message_writer_begin(&ap->writer, ap->mb->fd, name, m->lines, err);
	if (r < 0)
		return r;
	struct pending *p = ARENA_NEW(&ap->arena, struct pending);
	snprintf(p->path, sizeof(p->path), "%s", ap->writer.path);
	p->mark = copy_mark(&ap->arena, &m->mark);
	p->new.base = arena_str(&ap->arena, name);
	p->new.date = m->date;
	*ap->end = p;
	ap->end = &p->next;
	ap->n++;
	return 0;
}

int store_append_message(struct store_append *ap, const struct store_append_meta *m,
			 struct err *err)
{
	check(!ap->failed);
	int r = begin_message(ap, m, err);
	ap->failed = r < 0;
	return r;
}

int store_append_write(struct store_append *ap, struct str bytes, struct err *err)
{
	check(!ap->failed && ap->writer.fd >= 0);
	int r = message_writer_put(&ap->writer, bytes, err);
	ap->failed = r < 0;
	return r;
}

int store_append_file(struct store_append *ap, int fd, uint64_t offset, uint64_t length,
		      struct err *err)
{
	check(!ap->failed && ap->writer.fd >= 0);
	int r = message_writer_put_file(&ap->writer, fd, offset, length, err);
	ap->failed = r < 0;
	return r;
}

static void retract(struct store_append *ap, size_t n)
{
	for (struct pending *p = ap->first; n > 0; p = p->next, n--)
		(void)unlinkat(ap->mb->fd, p->target.p, 0);
}

/* From tmp/ to where it is seen. On failure those that were moved are removed again. */
static int publish(struct store_append *ap, struct maildir_new *v, struct err *err)
{
	int fd = ap->mb->fd, r = 0;
	size_t n = 0;
	for (struct pending *p = ap->first; p; p = p->next, n++) {
		struct maildir_marks marks;
		r = maildir_mark(ap->mb, &p->mark, &marks, err);
		if (r < 0)
			break;
		p->new.letters = marks.letters;
		p->new.keywords = marks.keywords;
		p->new.in_new = marks.letters == 0 && marks.keywords == 0;
		if (!maildir_path_make(&p->target, p->new.in_new, p->new.base, marks.letters,
				       marks.keywords))
			r = err_set(err, -ENAMETOOLONG, "file name too long");
		if (r == 0 && renameat(fd, p->path, fd, p->target.p) < 0)
			r = err_sys(err, "%s: rename", p->path);
		if (r < 0)
			break;
		v[n] = p->new;
	}
	if (r < 0)
		retract(ap, n);
	return r;
}

static int finish_locked(struct store_append *ap, const struct store_append_args *args,
			 struct store_appended *out, struct err *err)
{
	struct store_box *b = &ap->mb->base;
	struct maildir_new *v = ARENA_NEW_ARRAY(&ap->arena, struct maildir_new, ap->n);
	uint32_t uid = b->uidnext;

	int r = publish(ap, v, err);
	if (r < 0)
		return r;
	r = maildir_add(ap->mb, v, ap->n, err);
	if (r < 0) {
		retract(ap, ap->n);
		return r;
	}
	r = store_commit_add(args->commit, ap->mb->fd, err);
	if (r < 0)
		return r;
	*out = (struct store_appended){ .uidvalidity = b->uidvalidity };
	for (size_t i = 0; i < ap->n; i++) {
		store_uids_add(args->a, &out->uids, uid++);
		out->bytes += v[i].wire_size;
	}
	return 0;
}

int store_append_finish(struct store_append *ap, const struct store_append_args *args,
			struct store_appended *out, struct err *err)
{
	auto_dotlock struct dotlock lock = DOTLOCK_NONE;
	int r = ap->failed ? err_set(err, -EINVAL, "the append failed before")
			   : end_message(ap, err);
	if (r == 0)
		r = maildir_add_begin(ap->mb, &lock, err);
	if (r == 0)
		r = finish_locked(ap, args, out, err);
	dotlock_release(&lock);
	if (r < 0) {
		store_append_abort(ap);
		return r;
	}
	store_box_notify(&ap->mb->base, NULL);
	append_free(ap);
	return 0;
}
