/* Views on a Maildir: opening, syncing, reading messages. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fd.h"
#include "store/maildir/maildir.h"

#define FOLLOW_MAX 3 /* how often a file is looked for again after another program renamed it */

static struct maildir_box *box_of(struct store_view *v)
{
	return maildir_box(v->box);
}

static void claim_recent(struct store_view *v)
{
	struct maildir_box *mb = box_of(v);
	struct store_messages *m = &v->box->messages;
	if (v->mode & STORE_VIEW_KEEP_RECENT || m->recent == 0 || v->n == 0)
		return;
	if (v->mode & STORE_VIEW_READ_ONLY) {
		store_view_look_at_recent(v);
		return;
	}

	uint32_t last = v->uids[v->n - 1];
	for (uint32_t i = store_messages_from_uid(m, v->box->recent_from);
	     i < m->n && m->v[i].uid <= last && m->recent; i++) {
		struct store_rec *r = &m->v[i];
		if (r->state & STORE_REC_GONE || !(r->state & STORE_REC_RECENT))
			continue;
		store_view_claim(v, r);
		store_box_touch_marks(v->box, r);
		if (r->state & STORE_REC_NEW) /* what a session has seen lives in cur/ */
			maildir_settle_later(mb, r);
	}
	v->box->recent_from = last + 1;
	maildir_index_write(mb);
	if (!v->box->indexed)
		maildir_settle_all(mb);
}

int store_view_open(struct store *s, struct str name, unsigned mode, struct store_view **out,
		    struct err *err)
{
	struct maildir_box *mb;
	int r = maildir_box_get(s, name, &mb, err);
	if (r < 0)
		return r;
	maildir_notice_begin(mb);
	r = maildir_box_refresh(mb, err);
	if (r < 0) {
		maildir_box_release(mb);
		return r;
	}
	store_messages_pack(&mb->base.messages, false);
	struct store_view *v = store_view_new(&mb->base, mode);
	claim_recent(v);
	v->told_recent = v->nrecent;
	s->refs++;
	*out = v;
	return 0;
}

void store_view_close(struct store_view *v)
{
	if (!v)
		return;
	struct maildir_box *mb = box_of(v);
	struct store *s = mb->store;
	store_view_free(v);
	maildir_box_release(mb);
	store_close(s);
}

struct str store_view_name(struct store_view *v)
{
	return str_from(box_of(v)->name);
}

int store_view_keyword(struct store_view *v, struct str name, bool create, struct err *err)
{
	if (create && v->mode & STORE_VIEW_READ_ONLY)
		return err_set(err, -EROFS, "mailbox is open read-only");
	return maildir_keyword_bit(box_of(v), name, create, err);
}

int store_view_sync(struct store_view *v, unsigned how, struct arena *a, struct store_events *out,
		    struct err *err)
{
	if (v->box->stale)
		return err_set(err, -ESTALE, "mailbox was deleted or replaced");
	/* What a watch has told of is known, in a way. */
	if (!(how & STORE_SYNC_NO_DISK) || (box_of(v)->watch_new && box_of(v)->rescan)) {
		int r = maildir_box_refresh(box_of(v), err);
		if (r < 0)
			return r;
	}
	store_view_update(v, how, a, out);
	claim_recent(v);
	out->recent = v->nrecent;
	out->recent_changed = v->told_recent != v->nrecent;
	v->told_recent = v->nrecent;
	return 0;
}

/* Count line ends that will be expanded. */
static int measure_fd(int fd, uint64_t *size, uint64_t *wire_size, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const size_t chunk = 16384;
	char *p = arena_alloc(&a, chunk), last = 0;
	uint64_t bytes = 0, bare = 0;
	for (;;) {
		ssize_t n = pread(fd, p, chunk, (off_t)bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read message");
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			bare += p[i] == '\n' && last != '\r';
			last = p[i];
		}
		bytes += (uint64_t)n;
	}
	*size = bytes;
	*wire_size = bytes + bare;
	return 0;
}

/* The descriptor of a message's file, wherever another program may have renamed it to. *rec is
 * looked up anew, because following a file may move records. */
static int open_followed(struct store_view *v, uint32_t seq, struct store_rec **rec,
			 struct err *err)
{
	struct maildir_box *mb = box_of(v);
	struct maildir_path path;
	for (int tries = 0;; tries++) {
		struct store_rec *r = store_view_rec(v, seq);
		if (!r)
			return err_set(err, -ENOENT, "message is gone");
		maildir_rec_path(&mb->base.messages, r, &path);
		int fd = openat(mb->fd, path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		*rec = r;
		if (fd >= 0)
			return fd;
		if (errno != ENOENT || tries == FOLLOW_MAX)
			return err_sys(err, "%s: %s", mb->name, path.p);
		mb->rescan = true;
		int s = maildir_box_refresh(mb, err);
		if (s < 0)
			return s;
	}
}

/* Make the record agree with the file: date, size on disk, size on the wire. */
static int complete_rec(struct maildir_box *mb, struct store_rec *r, int fd, bool measure,
			struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat message");
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EBADMSG, "message is no regular file");
	r->date = st.st_mtim.tv_sec;

	uint64_t size = (uint64_t)st.st_size, wire_size = store_rec_wire_size(r);
	bool differs = r->size != STORE_UNKNOWN && r->size != size;
	if (differs)
		maildir_report(mb->store, STORE_DAMAGED, mb->dir,
			       "message %u has %llu bytes, its name says %llu", r->uid,
			       (unsigned long long)size, (unsigned long long)r->size);
	if (differs || measure || wire_size == STORE_UNKNOWN || wire_size < size) {
		int e = measure_fd(fd, &size, &wire_size, err);
		if (e < 0)
			return e;
	}
	if (r->size != size || store_rec_wire_size(r) != wire_size)
		store_messages_set_sizes(&mb->base.messages, r, size, wire_size);
	store_box_touch(&mb->base, r);
	return 0;
}

int maildir_rec_complete(struct maildir_box *mb, struct store_rec *r, int fd, struct err *err)
{
	return complete_rec(mb, r, fd, false, err);
}

static int open_completed(struct store_view *v, uint32_t seq, bool measure, struct store_rec **rec,
			  struct err *err)
{
	auto_close int fd = open_followed(v, seq, rec, err);
	if (fd < 0)
		return fd;
	int r = complete_rec(box_of(v), *rec, fd, measure, err);
	return r < 0 ? r : take_fd(&fd);
}

int store_view_open_message(struct store_view *v, uint32_t seq, struct store_file *out,
			    struct err *err)
{
	struct store_rec *rec;
	int fd = open_completed(v, seq, false, &rec, err);
	if (fd < 0)
		return fd;
	*out = (struct store_file){ fd, rec->size, store_rec_wire_size(rec), rec->bare != 0 };
	return 0;
}

int store_view_measure(struct store_view *v, uint32_t seq, struct err *err)
{
	struct store_rec *rec;
	auto_close int fd = open_completed(v, seq, true, &rec, err);
	return fd < 0 ? fd : 0;
}

/* Only the date is missing for nearly every message: a stat is cheaper than an open. */
static bool complete_by_stat(struct store_view *v, struct store_rec *r)
{
	struct maildir_path path;
	struct stat st;
	if (store_rec_wire_size(r) == STORE_UNKNOWN)
		return false;
	maildir_rec_path(&v->box->messages, r, &path);
	if (fstatat(box_of(v)->fd, path.p, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (uint64_t)st.st_size != r->size)
		return false;
	r->date = st.st_mtim.tv_sec;
	store_box_touch(v->box, r);
	return true;
}

int store_view_message_full(struct store_view *v, uint32_t seq, struct store_message *out,
			    struct err *err)
{
	struct store_rec *r = store_view_rec(v, seq);
	if (!r)
		return err_set(err, -ENOENT, "message is gone");
	bool complete = r->date != INT64_MIN && store_rec_wire_size(r) != STORE_UNKNOWN;
	if (!complete && !complete_by_stat(v, r)) {
		auto_close int fd = open_completed(v, seq, false, &r, err);
		if (fd < 0)
			return fd;
	}
	int found = store_view_message(v, seq, out);
	if (found < 0)
		return err_set(err, found, "message is gone");
	out->pop3_uidl = uidlist_ext_field(store_rec_ext(&v->box->messages, r), 'P');
	return 0;
}

int store_box_status(struct store *s, struct str name, struct store_status *out, struct err *err)
{
	struct maildir_box *mb;
	int r = maildir_box_get(s, name, &mb, err);
	if (r < 0)
		return r;
	r = maildir_box_refresh(mb, err);
	if (r == 0) {
		const struct store_box *b = &mb->base;
		*out = (struct store_status){
			.messages = store_messages_count(&b->messages),
			.recent = b->messages.recent,
			.unseen = b->messages.unseen,
			.deleted = b->messages.deleted,
			.uidnext = b->uidnext,
			.uidvalidity = b->uidvalidity,
			.modseq = b->modseq,
			.bytes = b->messages.bytes,
		};
		memcpy(out->guid, b->guid, sizeof(out->guid));
	}
	maildir_box_release(mb);
	return r;
}
