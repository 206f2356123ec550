#include "setup/explain_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/settings.h"
#include "mime/header.h"
#include "setup/message.h"
#include "setup/server_settings.h"

#define PIECE ((size_t)65536)

/* Maildirs keep LF. Other line ends than the two are the message's own. */
static struct str with_crlf(struct setup *s, struct str text)
{
	struct buf b;
	size_t from = 0;

	if (!memchr(text.p, '\n', text.n))
		return text;
	buf_init(&b, &s->arena, 2 * EXPLAIN_MESSAGE_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\n' || (i > 0 && text.p[i - 1] == '\r'))
			continue;
		buf_put(&b, text.p + from, i - from);
		buf_puts(&b, "\r\n");
		from = i + 1;
	}
	buf_put(&b, text.p + from, text.n - from);
	return from ? buf_str(&b) : text;
}

/* mbox and some exports begin with a line that is no field. */
static struct str without_from_line(struct str text)
{
	struct str line, rest = text;

	if (!str_starts(text, STR("From ")))
		return text;
	str_next_line(&rest, &line);
	return rest;
}

void explain_message_take(struct setup *s, struct str where, struct str text,
			  struct explain_message *out)
{
	struct mime_field f;

	out->where = where;
	out->text = with_crlf(s, without_from_line(text));
	if (mime_header_find(out->text, STR("Message-ID"), &f))
		out->message_id = mime_field_unfold(f.value, &s->arena);
	explain_trace_read(out->text, server_settings(s)->fqdn, &s->arena, &out->trace);
}

static int read_input(struct setup *s, struct str *out, struct err *err)
{
	struct buf b;
	ssize_t n;

	buf_init(&b, &s->arena, EXPLAIN_MESSAGE_MAX);
	do {
		char *space = buf_space(&b, PIECE);
		if (!space)
			return err_set(err, -EFBIG, "the message is too large");
		n = read(STDIN_FILENO, space, PIECE);
		if (n > 0)
			buf_added(&b, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	*out = buf_str(&b);
	return n < 0 ? err_sys(err, "standard input") : 0;
}

enum setup_exit explain_message_read(struct setup *s, struct str name, struct explain_message *out)
{
	bool input = str_eq(name, STR("-"));
	struct str text;
	struct err err;

	*out = (struct explain_message){ .wanted = name };
	int r = input ? read_input(s, &text, &err)
		      : fd_read_file(name.p, &s->arena, EXPLAIN_MESSAGE_MAX, &text, &err);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	if (!text.n)
		return message_fail(s, "There is no message in '%s'", name.p);
	explain_message_take(s,
			     input ? STR("standard input")
				   : arena_printf(&s->arena, "file %" STR_FMT, STR_ARG(name)),
			     text, out);
	return SETUP_OK;
}
