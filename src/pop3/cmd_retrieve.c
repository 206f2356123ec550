/* RETR (RFC 1939 section 5) and TOP (section 7). */
#include <errno.h>
#include <inttypes.h>

#include "base/fd.h"
#include "core/stream.h"
#include "pop3/session_state.h"
#include "store/store.h"

#define CHUNK 8192

/* Where the transfer of a message stands. */
struct transfer {
	struct stream *out;
	char last[2];	/* the bytes sent last: a line begins behind CRLF */
	bool in_body;	/* behind the empty line */
	uint64_t lines; /* of the body still to be sent */
};

static bool at_line_start(const struct transfer *t)
{
	return t->last[1] == '\n';
}

/* RFC 1939 3: a line that begins with the termination octet is stuffed. */
static void may_suspend send_piece(struct transfer *t, struct str piece)
{
	if (at_line_start(t) && piece.p[0] == '.')
		stream_puts(t->out, ".");
	stream_write(t->out, piece);
	t->last[0] = piece.n > 1 ? piece.p[piece.n - 2] : t->last[1];
	t->last[1] = piece.p[piece.n - 1];
}

/* Send bytes line by line until the body's allowance is used up. False: enough. */
static bool may_suspend send_lines(struct transfer *t, struct str bytes)
{
	while (bytes.n) {
		ssize_t lf = str_find_byte(bytes, '\n');
		struct str piece = lf < 0 ? bytes : str_sub(bytes, 0, (size_t)lf + 1);
		bool empty_line =
			at_line_start(t) && (str_eq(piece, STR("\r\n")) || piece.p[0] == '\n');

		if (t->in_body && t->lines == 0)
			return false;
		send_piece(t, piece);
		if (t->in_body && lf >= 0)
			t->lines--;
		t->in_body |= empty_line;
		bytes = str_skip(bytes, piece.n);
	}
	return true;
}

/* The end of the answer: on a line of its own, also behind a message that ends without CRLF. */
static void may_suspend send_end(struct transfer *t)
{
	if (!at_line_start(t))
		stream_puts(t->out, "\r\n");
	stream_puts(t->out, ".\r\n");
}

static int may_suspend send_message(struct pop3_session *s, struct pop3_message *m, uint64_t lines)
{
	struct store_file file;
	struct store_reader reader;
	struct transfer t = { .out = s->stream, .last = "\r\n", .lines = lines };
	char *chunk = arena_alloc(&s->command, CHUNK);
	size_t n;

	int r = store_view_open_message(s->view, pop3_message_number(s, m), &file, &s->err);
	if (r == -ENOENT)
		return pop3_answer_error(s, "The message was deleted by another session.");
	if (r < 0)
		return pop3_answer_error(s, "[SYS/TEMP] The message cannot be read now.");
	stream_printf(s->stream, "+OK %" PRIu64 " octets\r\n", file.wire_size);
	store_reader_init(&reader, &file, &s->command);
	while (!stream_error(s->stream) && (n = store_reader_read(&reader, chunk, CHUNK)))
		if (!send_lines(&t, str_of(chunk, n)))
			break;
	close(file.fd);
	send_end(&t);
	return stream_error(s->stream);
}

int pop3_cmd_retr(struct pop3_session *s, const struct pop3_line *line)
{
	struct pop3_message *m = pop3_message_named(s, line->arg[0]);

	if (!m)
		return 0;
	m->retrieved = true;
	return send_message(s, m, UINT64_MAX);
}

int pop3_cmd_top(struct pop3_session *s, const struct pop3_line *line)
{
	struct pop3_message *m = pop3_message_named(s, line->arg[0]);
	uint32_t lines;

	if (!m)
		return 0;
	if (pop3_number_parse(line->arg[1], &lines) < 0)
		return pop3_answer_error(s, "That is no number of lines.");
	return send_message(s, m, lines);
}
