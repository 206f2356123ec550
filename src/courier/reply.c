#include "courier/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void courier_reply_init(struct courier_reply *r)
{
	*r = (struct courier_reply){ 0 };
}

/* RFC 5321 4.2: Reply-code. Servers of the future may use any third digit. */
static int parse_code(struct str line)
{
	if (line.n < 3)
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (!ascii_is_digit((unsigned char)line.p[i]))
			return -1;
	if (line.p[0] < '2' || line.p[0] > '5')
		return -1;
	return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

struct str courier_reply_rest(struct str line)
{
	return str_skip(line, 4);
}

/* The length of "5.1.1" at the start of a text, or 0. RFC 2034 4: its class is that of the code. */
static size_t status_length(struct str text, int code)
{
	size_t i = 0, digits, group;

	for (group = 0; group < 3; group++) {
		for (digits = 0; i < text.n && ascii_is_digit((unsigned char)text.p[i]); i++)
			digits++;
		if (digits == 0 || digits > 3 || (group == 0 && digits > 1))
			return 0;
		if (group < 2 && (i == text.n || text.p[i++] != '.'))
			return 0;
	}
	if (i < text.n && text.p[i] != ' ')
		return 0;
	return text.p[0] - '0' == code / 100 ? i : 0;
}

static void put(struct courier_reply *r, struct str text)
{
	for (size_t i = 0; i < text.n && r->n < REPLY_TEXT_MAX; i++) {
		unsigned char c = (unsigned char)text.p[i];
		r->text[r->n++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
}

int courier_reply_add(struct courier_reply *r, struct str line)
{
	int code = parse_code(line);

	if (code < 0 || ++r->lines > REPLY_LINES_MAX)
		return -EPROTO;
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return -EPROTO;

	struct str rest = str_trim_end(courier_reply_rest(line));
	size_t n = status_length(rest, code);
	if (r->lines == 1)
		put(r, str_sub(line, 0, 3));
	/* The status stands on every line of the reply, and once in its text. */
	if (n && r->lines > 1 && str_eq(str_sub(rest, 0, n), str_from(r->status)))
		rest = str_skip(rest, n + 1);
	if (rest.n) {
		put(r, STR(" "));
		put(r, rest);
	}
	if (n && !r->enhanced) {
		struct str s = str_sub(courier_reply_rest(line), 0, n);
		snprintf(r->status, sizeof(r->status), "%" STR_FMT, STR_ARG(s));
		r->enhanced = true;
	}
	r->code = code;
	if (line.n > 3 && line.p[3] == '-')
		return REPLY_MORE;
	/* RFC 5321 4.2.1: all codes are the same. Where they are not, the last one counts. */
	memcpy(r->text, line.p, 3);
	if (!r->enhanced || r->status[0] - '0' != code / 100) {
		snprintf(r->status, sizeof(r->status), "%d.0.0", code / 100);
		r->enhanced = false;
	}
	return REPLY_DONE;
}
