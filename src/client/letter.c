#include "client/letter.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "client/handover.h"
#include "mime/address.h"
#include "mime/header.h"

#define PIECE 65536

/* A line with a dot alone, in bytes that begin with a line end: where that line begins, or -1. */
static ssize_t find_dot(struct str s)
{
	ssize_t lf = str_find(s, STR("\n.\n")), crlf = str_find(s, STR("\n.\r\n"));
	ssize_t at = lf < 0 || (crlf >= 0 && crlf < lf) ? crlf : lf;

	return at < 0 ? -1 : at + 1;
}

/* Ends with the input, or where a line with a dot alone begins. */
static int copy(struct letter *l, int from, bool dot_ends, struct err *err)
{
	static const size_t overlap = 4; /* of "\n.\r\n" across two pieces */
	char *window = arena_alloc(l->arena, overlap + PIECE);
	size_t kept = 1;
	off_t size = 0;
	ssize_t n;

	window[0] = '\n';
	while ((n = read(from, window + kept, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "standard input");
		int r = fd_write_all(l->fd, str_of(window + kept, (size_t)n), err);
		if (r < 0)
			return r;
		struct str all = str_of(window, kept + (size_t)n);
		ssize_t dot = dot_ends ? find_dot(all) : -1;
		if (dot >= 0)
			return ftruncate(l->fd, size + dot - (ssize_t)kept) < 0
				       ? err_sys(err, "the message")
				       : 0;
		size += n;
		kept = all.n < overlap - 1 ? all.n : overlap - 1;
		memmove(window, all.p + all.n - kept, kept);
	}
	return 0;
}

/* Where the message begins behind a line "From ..." of a mailbox file. */
static size_t beginning(struct str text)
{
	ssize_t lf = str_starts(text, STR("From ")) ? str_find_byte(text, '\n') : -1;

	return (size_t)(lf + 1);
}

static int read_header(struct letter *l, struct err *err)
{
	char *text = arena_alloc(l->arena, LETTER_HEADER_MAX);
	struct mime_field f;
	ssize_t n = fd_pread_all(l->fd, text, LETTER_HEADER_MAX, 0);

	if (n < 0)
		return err_set(err, (int)n, "the message cannot be read");
	struct str all = str_of(text, (size_t)n);
	size_t begin = beginning(all);
	if (lseek(l->fd, (off_t)begin, SEEK_SET) < 0)
		return err_sys(err, "the message");
	l->header = str_skip(all, begin);
	l->header = str_sub(l->header, 0, mime_header_size(l->header));
	l->has_from = mime_header_find(l->header, STR("From"), &f);
	return 0;
}

int letter_read(struct letter *l, int from, bool dot_ends, struct arena *a, struct err *err)
{
	*l = (struct letter){ .arena = a, .fd = memfd_create("message", MFD_CLOEXEC) };
	l->recipients = ARENA_NEW_ARRAY(a, struct str, LETTER_RECIPIENTS_MAX);
	if (l->fd < 0)
		return err_sys(err, "the message");
	int r = copy(l, from, dot_ends, err);
	return r < 0 ? r : read_header(l, err);
}

static int add(struct letter *l, const struct mime_addr *m, struct str domain, struct err *err)
{
	struct buf b;

	if (l->recipient_count == LETTER_RECIPIENTS_MAX)
		return err_set(err, -E2BIG, "more than %d recipients", LETTER_RECIPIENTS_MAX);
	buf_init(&b, l->arena, 1024);
	mime_addr_local_write(&b, m->local);
	buf_putc(&b, '@');
	buf_put_str(&b, m->domain.n ? m->domain : domain);
	if (buf_failed(&b) || m->local.n == 0 || !handover_may_send(buf_str(&b)))
		return err_set(err, -EINVAL, "<%" STR_FMT "> is no address", STR_ARG(m->local));
	l->recipients[l->recipient_count++] = buf_str(&b);
	return 0;
}

int letter_add(struct letter *l, struct str addresses, struct str domain, struct err *err)
{
	struct mime_addr_list list;
	int r = 0;

	mime_addr_list_parse(addresses, MIME_ADDR_LIMITS, l->arena, &list);
	if (list.truncated)
		return err_set(err, -E2BIG, "more than %d recipients", LETTER_RECIPIENTS_MAX);
	for (size_t i = 0; i < list.n && r == 0; i++)
		if (list.items[i].kind == MIME_ADDR_MAILBOX)
			r = add(l, &list.items[i], domain, err);
	return r;
}

int letter_add_header(struct letter *l, struct str domain, struct err *err)
{
	static const struct str names[] = { STR_INIT("To"), STR_INIT("Cc"), STR_INIT("Bcc") };
	struct mime_header_iter it;
	struct mime_field f;
	int r = 0;

	mime_header_begin(&it, l->header, MIME_HEADER_NO_LIMITS);
	while (r == 0 && mime_header_next(&it, &f) > 0)
		for (size_t i = 0; i < ARRAY_LEN(names) && r == 0; i++)
			if (str_eq_nocase(f.name, names[i]))
				r = letter_add(l, f.value, domain, err);
	return r;
}
