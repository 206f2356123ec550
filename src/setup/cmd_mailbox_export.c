/* An account's mail as an mbox file, a tar archive or a Maildir. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "setup/mailbox_account.h"
#include "setup/maildir_entry.h"
#include "setup/mbox.h"
#include "setup/message.h"
#include "setup/progress.h"
#include "setup/tar.h"

struct export
{
	struct mailbox_account *account;
	struct str path;
	FILE *out;	/* NULL: into the directory `path` */
	bool mbox;	/* else tar */
	struct arena a; /* of one message */
	uint64_t messages;
};

/* One message on its way out. */
struct outgoing {
	struct str folder; /* maildir_entry_folder */
	const struct str *keywords;
	unsigned nkeywords;
	struct store_message meta;
	struct str text;
};

static int write_mbox(struct export *x, const struct outgoing *o)
{
	struct mbox_message m = { .text = o->text, .date = o->meta.date, .flags = o->meta.flags };

	m.keywords = ARENA_NEW_ARRAY(&x->a, struct str, o->nkeywords);
	for (unsigned i = 0; i < o->nkeywords; i++)
		if (o->meta.keywords & (uint64_t)1 << i)
			m.keywords[m.nkeywords++] = o->keywords[i];
	mbox_write(x->out, &m);
	return ferror(x->out) ? -EIO : 0;
}

static int write_file(struct export *x, const struct tar_entry *e)
{
	struct err err;
	struct timespec times[2] = { { .tv_sec = e->mtime }, { .tv_sec = e->mtime } };
	struct str path =
		arena_printf(&x->a, "%" STR_FMT "/%" STR_FMT, STR_ARG(x->path), STR_ARG(e->path));
	struct str dir = arena_str(&x->a, str_sub(path, 0, (size_t)str_rfind_byte(path, '/')));

	if (fd_make_dirs(arena_cstr(&x->a, dir), 0700, &err) < 0)
		return -errno;
	auto_close int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, e->contents, NULL);
	return r == 0 && futimens(fd, times) < 0 ? -errno : r;
}

static int write_entry(struct export *x, const struct tar_entry *e)
{
	if (!x->out)
		return write_file(x, e);
	tar_write(x->out, e);
	return ferror(x->out) ? -EIO : 0;
}

/* Lines end in LF there, as on disk. */
static struct str with_lf(struct str text, struct arena *a)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r' || i + 1 == text.n || text.p[i + 1] != '\n')
			p[n++] = text.p[i];
	return str_of(p, n);
}

static int write_maildir(struct export *x, const struct outgoing *o)
{
	struct str text = with_lf(o->text, &x->a);
	struct str unique, rest;

	str_cut(o->meta.guid, ',', &unique, &rest);
	struct str name =
		arena_printf(&x->a, "%" STR_FMT ",S=%zu,W=%zu", STR_ARG(unique), text.n, o->text.n);
	struct tar_entry e = {
		.path = maildir_entry_message(o->folder, name, o->meta.flags, o->meta.keywords,
					      &x->a),
		.contents = text,
		.mtime = o->meta.date,
	};
	return write_entry(x, &e);
}

static int write_keywords(struct export *x, const struct outgoing *o)
{
	struct str text = STR("");

	for (unsigned i = 0; i < o->nkeywords; i++)
		if (o->keywords[i].n)
			text = arena_printf(&x->a, "%" STR_FMT "%u %" STR_FMT "\n", STR_ARG(text),
					    i, STR_ARG(o->keywords[i]));
	if (text.n == 0 || x->mbox)
		return 0;
	struct tar_entry e = {
		.path = arena_printf(&x->a, "%" STR_FMT "dovecot-keywords", STR_ARG(o->folder)),
		.contents = text,
	};
	return write_entry(x, &e);
}

static int read_text(struct export *x, struct store_view *v, uint32_t seq, struct str *out,
		     struct err *err)
{
	struct store_reader reader;
	struct store_file file;

	int r = store_view_open_message(v, seq, &file, err);
	if (r < 0)
		return r;
	auto_close int fd = file.fd;
	store_reader_init(&reader, &file, &x->a);
	char *p = arena_alloc(&x->a, (size_t)file.wire_size + 1);
	size_t n = store_reader_read(&reader, p, (size_t)file.wire_size);
	*out = str_of(p, n);
	return fd >= 0 ? reader.error : 0;
}

static int export_one(struct export *x, struct store_view *v, uint32_t seq, struct outgoing *o)
{
	struct err err;

	int r = store_view_message_full(v, seq, &o->meta, &err);
	if (r == 0)
		r = read_text(x, v, seq, &o->text, &err);
	if (r < 0) {
		message(x->account->setup, MESSAGE_WARN, "message %u is left out: %s",
			store_view_uid(v, seq), r == -EBADMSG ? "damaged" : err.text);
		x->account->findings++;
		return 0;
	}
	r = x->mbox ? write_mbox(x, o) : write_maildir(x, o);
	x->messages += r == 0;
	return r;
}

static enum setup_exit export_mailbox(struct export *x, struct str name)
{
	struct setup *s = x->account->setup;
	struct progress p = progress_begin(name);
	struct outgoing o = { .folder = maildir_entry_folder(name, &s->arena) };
	struct store_view *v;
	struct err err;

	if (store_view_open(x->account->store, name, STORE_VIEW_READ_ONLY | STORE_VIEW_KEEP_RECENT,
			    &v, &err) < 0)
		return message_fail(s, "%s: %s", name.p, err.text);
	o.keywords = store_view_keywords(v, &o.nkeywords);
	int r = write_keywords(x, &o);
	for (uint32_t seq = 1; seq <= store_view_count(v) && r == 0; seq++) {
		r = export_one(x, v, seq, &o);
		arena_reset(&x->a);
		progress_show(&p, seq, store_view_count(v));
	}
	progress_end(&p);
	store_view_close(v);
	return r < 0 ? message_fail(s, "%s: %s", x->path.p, strerror(-r)) : SETUP_OK;
}

/* Nothing that exists is overwritten. */
static enum setup_exit open_output(struct export *x)
{
	struct setup *s = x->account->setup;

	x->mbox = str_ends(x->path, STR(".mbox"));
	if (!x->mbox && !str_ends(x->path, STR(".tar"))) {
		if (mkdir(x->path.p, 0700) < 0)
			return message_fail(s, "%s: %s", x->path.p, strerror(errno));
		return SETUP_OK;
	}
	int fd = open(x->path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return message_fail(s, "%s: %s", x->path.p, strerror(errno));
	x->out = fdopen(fd, "w");
	return x->out ? SETUP_OK : SETUP_ERROR;
}

static enum setup_exit close_output(struct export *x, enum setup_exit r)
{
	if (!x->out)
		return r;
	if (!x->mbox && r == SETUP_OK)
		tar_write_end(x->out);
	bool failed = fflush(x->out) != 0 || fsync(fileno(x->out)) < 0;
	failed |= fclose(x->out) != 0;
	if (failed && r == SETUP_OK)
		return message_fail(x->account->setup, "%s: %s", x->path.p, strerror(errno));
	return r;
}

static enum setup_exit export_all(struct export *x)
{
	struct setup *s = x->account->setup;
	struct store_box_list boxes;

	enum setup_exit r = mailbox_account_names(x->account, 2, &boxes);
	if (r != SETUP_OK)
		return r;
	if (str_ends(x->path, STR(".mbox")) && boxes.n > 1)
		return message_fail_usage(s, "An mbox file holds one mailbox: name it");
	r = open_output(x);
	if (r != SETUP_OK)
		return r;
	for (size_t i = 0; i < boxes.n && r == SETUP_OK; i++)
		r = export_mailbox(x, boxes.v[i].name);
	r = close_output(x, r);
	if (r == SETUP_OK)
		printf("%" PRIu64 " messages of %zu mailboxes are in %s\n", x->messages, boxes.n,
		       x->path.p);
	return r == SETUP_OK && x->account->findings ? SETUP_ERROR : r;
}

enum setup_exit cmd_mailbox_export(struct setup *s)
{
	struct mailbox_account m;
	struct export x = { .account = &m, .path = setup_arg(s, 1) };

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = export_all(&x);
	arena_done(&x.a);
	mailbox_account_close(&m);
	return r;
}
