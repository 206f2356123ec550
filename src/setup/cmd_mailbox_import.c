/* Mail from an mbox file, a tar archive or a Maildir into an account. What is there stays; nothing
 * is compared with it. */
#include <dirent.h>
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

#define MESSAGE_MAX ((size_t)1 << 30)
#define DEPTH_MAX   3 /* directories below the one that is named */

struct import {
	struct mailbox_account *account;
	struct str path;
	struct str into; /* all of it goes here; empty: where the source says */
	struct arena a;	 /* of one message */
	struct arena keyword_memory;
	struct str keyword_box; /* whose keywords these are */
	struct str keywords[MAILDIR_KEYWORDS];
	struct progress progress;
	uint64_t messages;
};

static int append(struct import *im, struct str box, const struct store_append_meta *meta,
		  struct str text, struct err *err)
{
	struct store *store = im->account->store;
	struct store_append *ap;
	struct store_appended done;
	struct store_append_args args = { .a = &im->a };

	int r = store_append_begin(store, box, &ap, err);
	if (r == -ENOENT) {
		r = store_box_create(store, box, err);
		if (r == 0)
			r = store_box_subscribe(store, box, true, err);
		if (r == 0)
			r = store_append_begin(store, box, &ap, err);
	}
	if (r < 0)
		return r;
	r = store_append_message(ap, meta, err);
	if (r == 0)
		r = store_append_write(ap, text, err);
	if (r < 0) {
		store_append_abort(ap);
		return r;
	}
	return store_append_finish(ap, &args, &done, err);
}

static int take_message(struct import *im, struct str box, const struct store_append_meta *meta,
			struct str text)
{
	struct err err;

	int r = append(im, im->into.n ? im->into : box, meta, text, &err);
	if (r < 0) {
		message_fail(im->account->setup, "%s: %s", im->path.p, err.text);
		return r;
	}
	im->messages++;
	progress_show(&im->progress, im->messages, 0);
	return 0;
}

static int take_entry(struct import *im, const struct tar_entry *file)
{
	struct maildir_entry e = maildir_entry_parse(file->path, &im->a);
	struct store_append_meta meta = { .date = file->mtime, .mark.flags = e.flags };
	struct str names[MAILDIR_KEYWORDS];

	if (e.kind == MAILDIR_ENTRY_KEYWORDS) {
		arena_reset(&im->keyword_memory);
		im->keyword_box = arena_str(&im->keyword_memory, e.mailbox);
		maildir_entry_keywords(file->contents, im->keywords, &im->keyword_memory);
	}
	if (e.kind != MAILDIR_ENTRY_MESSAGE)
		return 0;
	if (str_eq(im->keyword_box, e.mailbox))
		for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
			if (e.keywords & 1u << i && im->keywords[i].n)
				names[meta.mark.nkeywords++] = im->keywords[i];
	meta.mark.keywords = names;
	return take_message(im, e.mailbox, &meta, file->contents);
}

static int import_tar(struct import *im, FILE *in)
{
	struct tar_entry e;
	int r;

	while ((r = tar_read(in, MESSAGE_MAX, &im->a, &e)) > 0) {
		r = take_entry(im, &e);
		arena_reset(&im->a);
		if (r < 0)
			return SETUP_ERROR;
	}
	if (r < 0)
		return message_fail(im->account->setup, "%s: %s", im->path.p,
				    r == -EFBIG ? "a file in it is larger than 1 GiB"
						: "is no tar archive, or cut short");
	return SETUP_OK;
}

static int import_mbox(struct import *im, FILE *in)
{
	struct mbox_reader reader;
	struct mbox_message m;
	int r;

	mbox_reader_init(&reader, in);
	while ((r = mbox_read(&reader, &im->a, &m)) > 0) {
		struct store_append_meta meta = {
			.date = m.date,
			.mark = { m.flags, m.keywords, m.nkeywords },
		};
		r = take_message(im, STR("INBOX"), &meta, m.text);
		arena_reset(&im->a);
		if (r < 0)
			break;
	}
	mbox_reader_done(&reader);
	if (r == -EBADMSG || r == -EFBIG)
		return message_fail(im->account->setup, "%s: %s", im->path.p,
				    r == -EFBIG
					    ? "a message in it is larger than 1 GiB"
					    : "is no mbox file: it does not begin with 'From '");
	return r < 0 ? SETUP_ERROR : SETUP_OK;
}

static int import_file(struct import *im, struct str path)
{
	struct tar_entry e = { .path = path };
	struct stat st;
	struct err err;

	auto_close int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return SETUP_OK;
	int r = fd_read_all(fd, &im->a, MESSAGE_MAX, &e.contents, &err);
	if (r < 0)
		return message_fail(im->account->setup, "%s: %s", path.p, err.text);
	e.mtime = st.st_mtim.tv_sec;
	r = take_entry(im, &e);
	return r < 0 ? SETUP_ERROR : SETUP_OK;
}

static int import_dir(struct import *im, struct str path, unsigned depth);

static int import_child(struct import *im, struct str path, const char *name, unsigned depth)
{
	auto_arena struct arena a = ARENA_INIT;
	struct stat st;
	struct str child = arena_printf(&a, "%" STR_FMT "/%s", STR_ARG(path), name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || lstat(child.p, &st) < 0)
		return SETUP_OK;
	if (S_ISDIR(st.st_mode))
		return depth ? import_dir(im, child, depth - 1) : SETUP_OK;
	int r = import_file(im, child);
	arena_reset(&im->a);
	return r;
}

/* The meaning of keywords first. */
static int import_dir(struct import *im, struct str path, unsigned depth)
{
	DIR *d = opendir(path.p);
	int r = SETUP_OK;

	if (!d)
		return message_fail(im->account->setup, "%s: %s", path.p, strerror(errno));
	(void)import_child(im, path, "dovecot-keywords", depth);
	for (const struct dirent *e = readdir(d); e && r == SETUP_OK; e = readdir(d))
		if (strcmp(e->d_name, "dovecot-keywords") != 0)
			r = import_child(im, path, e->d_name, depth);
	closedir(d);
	return r;
}

static int import_from(struct import *im)
{
	struct stat st;
	FILE *in;

	if (stat(im->path.p, &st) == 0 && S_ISDIR(st.st_mode))
		return import_dir(im, im->path, DEPTH_MAX);
	in = fopen(im->path.p, "re");
	if (!in)
		return message_fail(im->account->setup, "%s: %s", im->path.p, strerror(errno));
	int r = str_ends(im->path, STR(".tar")) ? import_tar(im, in) : import_mbox(im, in);
	fclose(in);
	return r;
}

enum setup_exit cmd_mailbox_import(struct setup *s)
{
	struct mailbox_account m;
	struct import im = { .account = &m,
			     .path = setup_arg(s, 1),
			     .into = setup_arg(s, 2),
			     .progress = progress_begin(setup_arg(s, 1)) };

	enum setup_exit r = mailbox_account_open(s, &m);
	if (r != SETUP_OK)
		return r;
	r = (enum setup_exit)import_from(&im);
	progress_end(&im.progress);
	printf("%" PRIu64 " messages of %s are in the account of %s\n", im.messages, im.path.p,
	       m.address.p);
	arena_done(&im.a);
	arena_done(&im.keyword_memory);
	mailbox_account_close(&m);
	return r;
}
