#include "setup/json.h"

#include <inttypes.h>

#include "base/utf8.h"

size_t json_write_piece(struct buf *out, struct str piece, bool last)
{
	struct str rest = piece;

	while (rest.n) {
		struct str at = rest;
		uint32_t cp;
		int r = utf8_next(&rest, &cp);
		/* Cut in the middle: what is missing may be in the next piece. */
		if (r < 0 && !last && at.n < 4)
			return piece.n - at.n;
		if (r < 0)
			utf8_put(out, 0xfffd);
		else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			buf_printf(out, "\\u%04x", cp);
		else if (cp == '"' || cp == '\\')
			buf_printf(out, "\\%c", (char)cp);
		else
			buf_put(out, at.p, at.n - rest.n);
	}
	return piece.n;
}

void json_write_string(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	json_write_piece(out, s, true);
	buf_putc(out, '"');
}

static void begin(struct json *j, const char *key)
{
	if (j->comma)
		buf_puts(j->out, ", ");
	j->comma = true;
	if (key) {
		json_write_string(j->out, str_from(key));
		buf_puts(j->out, ": ");
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	buf_putc(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_putc(j->out, bracket);
	j->comma = true;
}

void json_str(struct json *j, const char *key, struct str value)
{
	begin(j, key);
	json_write_string(j->out, value);
}

void json_str_if(struct json *j, const char *key, struct str value)
{
	if (value.n)
		json_str(j, key, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	buf_puts(j->out, value ? "true" : "false");
}
