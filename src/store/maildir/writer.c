#include "store/maildir/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"

#define OUT_SIZE ((size_t)32768)
#define IN_SIZE	 ((size_t)32768)

static int create(const char *path, int dirfd, struct err *err)
{
	int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_sys(err, "%s: create", path) : fd;
}

int message_writer_begin(struct message_writer *w, int dirfd, struct str unique,
			 enum store_line_ends lines, struct err *err)
{
	*w = (struct message_writer){ .dirfd = dirfd, .fd = -1, .lines = lines };
	snprintf(w->path, sizeof(w->path), "tmp/%" STR_FMT, STR_ARG(unique));
	int fd = create(w->path, dirfd, err);
	if (fd < 0)
		return fd;
	w->fd = fd;
	w->buf = malloc(OUT_SIZE + IN_SIZE);
	if (!w->buf)
		check_no_memory();
	return 0;
}

static int flush(struct message_writer *w, struct err *err)
{
	int r = fd_write_all(w->fd, str_of(w->buf, w->n), err);
	w->n = 0;
	return r;
}

static int emit(struct message_writer *w, struct str s, struct err *err)
{
	if (s.n == 0)
		return 0;
	if (s.n > OUT_SIZE - w->n) {
		int r = flush(w, err);
		if (r < 0)
			return r;
	}
	w->last = s.p[s.n - 1];
	w->size += s.n;
	w->wire_size += s.n;
	if (s.n > OUT_SIZE)
		return fd_write_all(w->fd, s, err);
	memcpy(w->buf + w->n, s.p, s.n);
	w->n += s.n;
	return 0;
}

static int expand_into(struct message_writer *w, int to, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const size_t chunk = 16384;
	char *p = arena_alloc(&a, chunk);
	struct store_file file = { w->fd, w->size, w->wire_size, true };
	struct store_reader reader;
	store_reader_init(&reader, &file, &a);
	for (;;) {
		size_t n = store_reader_read(&reader, p, chunk);
		if (n == 0)
			break;
		int r = fd_write_all(to, str_of(p, n), err);
		if (r < 0)
			return r;
	}
	return reader.error ? err_set(err, -EIO, "%s: read back", w->path) : 0;
}

/* Write what there is so far once more, as it was on the wire. Up to here that is unambiguous. */
static int become_verbatim(struct message_writer *w, struct err *err)
{
	int r = flush(w, err);
	if (r < 0)
		return r;
	w->verbatim = true;
	if (w->size != w->wire_size) {
		if (unlinkat(w->dirfd, w->path, 0) < 0)
			return err_sys(err, "%s: remove", w->path);
		auto_close int fd = create(w->path, w->dirfd, err);
		if (fd < 0)
			return fd;
		r = expand_into(w, fd, err);
		if (r < 0)
			return r;
		close(w->fd);
		w->fd = take_fd(&fd);
	}
	w->size = w->wire_size;
	return 0;
}

static int put_verbatim(struct message_writer *w, struct str s, struct err *err)
{
	int r = 0;
	if (w->lines == STORE_LINES_BINARY)
		return emit(w, s, err);
	while (s.n && r == 0) {
		ssize_t lf = str_find_byte(s, '\n');
		if (lf < 0)
			return emit(w, s, err);
		r = emit(w, str_sub(s, 0, (size_t)lf), err);
		if (r == 0)
			r = emit(w, w->last == '\r' ? STR("\n") : STR("\r\n"), err);
		s = str_skip(s, (size_t)lf + 1);
	}
	return r;
}

/* A line end came, and `rest` after it. Returns 1 when the rest was written verbatim. */
static int end_line(struct message_writer *w, struct str rest, struct err *err)
{
	bool crlf = w->held_cr;
	bool ambiguous = crlf ? w->last == '\r' : w->lines == STORE_LINES_BINARY;
	w->held_cr = false;
	if (!ambiguous) {
		int r = emit(w, STR("\n"), err);
		w->wire_size++;
		return r;
	}
	int r = become_verbatim(w, err);
	if (r == 0)
		r = emit(w, crlf ? STR("\r\n") : STR("\n"), err);
	if (r == 0)
		r = put_verbatim(w, rest, err);
	return r < 0 ? r : 1;
}

static int put_lines(struct message_writer *w, struct str s, struct err *err)
{
	int r = 0;
	while (s.n && r == 0) {
		ssize_t lf = str_find_byte(s, '\n');
		struct str text = lf < 0 ? s : str_sub(s, 0, (size_t)lf);
		if (text.n && w->held_cr) {
			w->held_cr = false;
			r = emit(w, STR("\r"), err);
			if (r < 0)
				return r;
		}
		if (text.n && text.p[text.n - 1] == '\r') {
			w->held_cr = true;
			text.n--;
		}
		r = emit(w, text, err);
		if (r < 0 || lf < 0)
			return r;
		s = str_skip(s, (size_t)lf + 1);
		r = end_line(w, s, err);
	}
	return r < 0 ? r : 0;
}

int message_writer_put(struct message_writer *w, struct str bytes, struct err *err)
{
	return w->verbatim ? put_verbatim(w, bytes, err) : put_lines(w, bytes, err);
}

int message_writer_put_file(struct message_writer *w, int fd, uint64_t offset, uint64_t length,
			    struct err *err)
{
	char *in = w->buf + OUT_SIZE;
	while (length) {
		size_t want = length < IN_SIZE ? (size_t)length : IN_SIZE;
		ssize_t n = pread(fd, in, want, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read message");
		if (n == 0)
			return err_set(err, -EBADMSG, "message is shorter than announced");
		int r = message_writer_put(w, str_of(in, (size_t)n), err);
		if (r < 0)
			return r;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

int message_writer_end(struct message_writer *w, struct err *err)
{
	int r = 0;
	if (w->held_cr)
		r = emit(w, STR("\r"), err);
	w->held_cr = false;
	if (r == 0)
		r = flush(w, err);
	return r < 0 ? err_prefix(err, "%s", w->path) : 0;
}

void message_writer_close(struct message_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	w->buf = NULL;
	w->fd = -1;
}

void message_writer_abort(struct message_writer *w)
{
	if (w->fd < 0)
		return;
	(void)unlinkat(w->dirfd, w->path, 0);
	message_writer_close(w);
}
