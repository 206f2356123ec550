/* What is known of messages: kept when they arrive, made from their files when it is missing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "mime/facts.h"
#include "store/maildir/maildir.h"
#include "store/maildir/writer.h"

/* Larger messages are explored up to here. */
#define EXPLORE_MAX ((uint64_t)256 << 20)
/* What is read at a time while nobody waits for it. */
#define FILL_FILES 16
#define FILL_BYTES ((uint64_t)256 << 10)
/* From here on a message is mapped and not copied. */
#define MAP_MIN ((uint64_t)64 << 10)

static int read_file(int fd, size_t size, struct arena *a, struct str *out, struct err *err)
{
	char *p = arena_alloc(a, size);
	ssize_t got = fd_pread_all(fd, p, size, 0);

	if (got < 0)
		return err_set(err, (int)got, "read message: %s", strerror((int)-got));
	*out = str_of(p, (size_t)got);
	return 0;
}

/* Nobody else cuts a file in tmp/ short while it is mapped. */
int maildir_facts_make(const struct message_writer *w, struct arena *a, struct mime_facts *out,
		       struct err *err)
{
	bool wire = w->size == w->wire_size;
	size_t n = (size_t)(w->size < EXPLORE_MAX ? w->size : EXPLORE_MAX);

	if (n < MAP_MIN) {
		auto_arena struct arena bytes = ARENA_INIT;
		struct str message;
		int r = read_file(w->fd, n, &bytes, &message, err);
		if (r == 0)
			mime_facts_make(message, wire, a, out);
		return r;
	}
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, w->fd, 0);
	if (p == MAP_FAILED)
		return err_sys(err, "map message");
	mime_facts_make(str_of(p, n), wire, a, out);
	munmap(p, n);
	return 0;
}

uint32_t maildir_facts_keep(struct maildir_box *mb, uint32_t uid,
			    const struct maildir_facts_source *source)
{
	struct mime_facts copied;

	if (mb->facts.dirfd < 0)
		return 0;
	if (source->made)
		return facts_files_put(&mb->facts, uid, source->made, time(NULL));
	if (!source->from ||
	    facts_files_all(&source->from->facts, source->place, source->uid, &copied) < 0)
		return 0;
	return facts_files_put(&mb->facts, uid, &copied, time(NULL));
}

void maildir_facts_begin(struct maildir_box *mb)
{
	maildir_facts_compact_abort(mb);
	facts_files_rest(&mb->facts);
	maildir_index_remove_files(mb->index.dirfd, mb->base.guid, false);
	for (uint32_t i = 0; i < mb->base.messages.n; i++)
		mb->base.messages.v[i].facts = 0;
	facts_files_init(&mb->facts, mb->index.dirfd, mb->base.guid, mb->index.generation);
}

static int read_facts(int fd, const struct store_file *f, struct arena *a, struct mime_facts *out,
		      struct err *err)
{
	auto_arena struct arena bytes = ARENA_INIT;
	struct str message;

	int r = read_file(fd, (size_t)(f->size < EXPLORE_MAX ? f->size : EXPLORE_MAX), &bytes,
			  &message, err);
	if (r == 0)
		mime_facts_make(message, !f->lf, a, out);
	return r;
}

static void keep(struct maildir_box *mb, struct store_rec *r, const struct mime_facts *facts)
{
	if (!r || !mb->base.indexed)
		return;
	/* Nobody knows when it came: RFC 8514 section 4 takes its date then. */
	r->facts = facts_files_put(&mb->facts, r->uid, facts, r->date);
	store_box_touch(&mb->base, r);
}

/* Read the message, and keep what it tells. */
static int make_again(struct store_view *v, uint32_t seq, struct arena *a, struct mime_facts *out,
		      struct err *err)
{
	struct store_file f;

	int r = store_view_open_message(v, seq, &f, err);
	if (r < 0)
		return r;
	auto_close int fd = f.fd;
	r = read_facts(fd, &f, a, out, err);
	if (r == 0)
		keep(maildir_box(v->box), store_view_rec(v, seq), out);
	return r;
}

/* The file's bytes were read; 0 when it could not be. */
static uint64_t fill_one(struct maildir_box *mb, struct store_rec *r)
{
	auto_arena struct arena a = ARENA_INIT;
	struct maildir_path path;
	struct mime_facts facts;
	struct store_file f;

	maildir_rec_path(&mb->base.messages, r, &path);
	auto_close int fd = openat(mb->fd, path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || maildir_rec_complete(mb, r, fd, NULL) < 0)
		return 0;
	f = (struct store_file){ fd, r->size, store_rec_wire_size(r), r->bare != 0 };
	if (read_facts(fd, &f, &a, &facts, NULL) == 0)
		keep(mb, r, &facts);
	return f.size;
}

bool maildir_facts_fill(struct maildir_box *mb)
{
	struct store_messages *m = &mb->base.messages;
	uint32_t i = store_messages_from_uid(m, mb->facts_from);
	uint64_t bytes = 0;
	unsigned files = 0;

	if (!mb->base.indexed || mb->facts.failed)
		return false;
	for (; i < m->n && files < FILL_FILES && bytes < FILL_BYTES; i++) {
		struct store_rec *r = &m->v[i];
		if (r->facts || r->state & STORE_REC_GONE)
			continue;
		bytes += fill_one(mb, r);
		files++;
	}
	mb->facts_from = i < m->n ? m->v[i].uid : mb->base.uidnext;
	if (files && i == m->n) {
		maildir_index_write(mb);
		if (mb->pins == 0)
			facts_files_rest(&mb->facts);
	}
	return i < m->n;
}

int store_view_facts(struct store_view *v, uint32_t seq, struct arena *a, struct mime_facts *out,
		     struct err *err)
{
	const struct store_rec *r = store_view_rec(v, seq);

	if (!r)
		return err_set(err, -ENOENT, "message is gone");
	if (r->facts && facts_files_all(&maildir_box(v->box)->facts, r->facts, r->uid, out) == 0)
		return 0;
	return make_again(v, seq, a, out, err);
}

int store_view_hot_facts(struct store_view *v, uint32_t seq, struct arena *a,
			 struct mime_facts *out, struct err *err)
{
	const struct store_rec *r = store_view_rec(v, seq);

	if (!r)
		return err_set(err, -ENOENT, "message is gone");
	if (r->facts && facts_files_hot(&maildir_box(v->box)->facts, r->facts, r->uid, out) == 0)
		return 0;
	return make_again(v, seq, a, out, err);
}

int64_t store_view_saved(struct store_view *v, uint32_t seq)
{
	const struct store_rec *r = store_view_rec(v, seq);

	return r && r->facts ? facts_files_saved(&maildir_box(v->box)->facts, r->facts, r->uid)
			     : INT64_MIN;
}
