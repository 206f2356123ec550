/* Going through a whole mailbox: reading every message, making the index again. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"

#define PROGRESS_STEP 64

static void tell(struct store_progress p, uint32_t done, uint32_t all)
{
	if (p.fn && (done % PROGRESS_STEP == 0 || done == all))
		p.fn(p.ctx, done, all);
}

static bool can_be_read(int fd)
{
	char bytes[3000];
	ssize_t n;
	off_t at = 0;

	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0)
		at += n;
	return n == 0;
}

static void verify_one(struct maildir_box *mb, struct store_rec *r, struct store_verified *out)
{
	uint64_t size = r->size;
	struct maildir_path path;

	out->messages++;
	maildir_rec_path(&mb->base.messages, r, &path);
	auto_close int fd = openat(mb->fd, path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || !can_be_read(fd)) {
		out->unreadable++;
		maildir_report(mb->store, STORE_DAMAGED, mb->dir, "message %u cannot be read",
			       r->uid);
		return;
	}
	if (maildir_rec_complete(mb, r, fd, NULL) == 0)
		out->wrong_size += size != STORE_UNKNOWN && r->size != size;
	out->no_facts += r->facts == 0;
}

int store_box_verify(struct store *s, struct str name, struct store_progress progress,
		     struct store_verified *out, struct err *err)
{
	struct maildir_box *mb;

	*out = (struct store_verified){ 0 };
	int r = maildir_box_get(s, name, &mb, err);
	if (r < 0)
		return r;
	mb->rescan = true;
	r = maildir_box_refresh(mb, err);
	const struct store_messages *m = &mb->base.messages;
	uint32_t all = store_messages_count(m);
	for (uint32_t i = 0; i < m->n && r == 0; i++) {
		if (m->v[i].state & STORE_REC_GONE)
			continue;
		verify_one(mb, &m->v[i], out);
		tell(progress, out->messages, all);
	}
	out->indexed = mb->base.indexed;
	maildir_box_release(mb);
	return r;
}

/* Whoever has the mailbox loaded sees that its index is gone (maildir_index_is_lost). */
static int forget_index(struct maildir_box *mb, struct err *err)
{
	int dirfd = maildir_index_dir(mb->store);

	if (dirfd < 0)
		return err_set(err, -ENOENT, "there is no place for indexes");
	maildir_index_remove_files(dirfd, mb->base.guid, true);
	return err_set(err, -EBUSY, "the server has the mailbox in use, and makes its index again");
}

int store_box_reindex(struct store *s, struct str name, struct store_progress progress,
		      struct err *err)
{
	struct maildir_box *mb;
	int r = maildir_box_get(s, name, &mb, err);

	if (r < 0)
		return r;
	if (!mb->base.indexed) {
		r = forget_index(mb, err);
		maildir_box_release(mb);
		return r;
	}
	uint32_t all = store_messages_count(&mb->base.messages);
	maildir_index_again(mb);
	r = maildir_box_refresh(mb, err);
	while (r == 0 && maildir_facts_fill(mb)) {
		uint32_t done = store_messages_from_uid(&mb->base.messages, mb->facts_from);
		if (progress.fn)
			progress.fn(progress.ctx, done < all ? done : all, all);
	}
	if (progress.fn)
		progress.fn(progress.ctx, all, all);
	maildir_index_write(mb);
	maildir_box_release(mb);
	return r;
}
