#include "mime/nstring.h"

/* Longer strings are easier on everybody as literals. */
#define QUOTED_MAX 1000

static bool fits_quoted(struct str s)
{
	if (s.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x80 || c == '\0' || c == '\r' || c == '\n')
			return false;
	}
	return true;
}

static void write_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	for (size_t from = 0, i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '"' && s.p[i] != '\\')
			continue;
		buf_put_str(b, str_sub(s, from, i - from));
		if (i < s.n)
			buf_putc(b, '\\');
		from = i;
	}
	buf_putc(b, '"');
}

static void write_literal(struct buf *b, struct str s)
{
	buf_printf(b, "{%zu}\r\n", s.n);
	char *p = buf_space(b, s.n);
	if (!p)
		return;
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] == '\0' ? (char)0x80 : s.p[i];
	buf_added(b, s.n);
}

void mime_string_write(struct buf *b, struct str s)
{
	if (fits_quoted(s))
		write_quoted(b, s);
	else
		write_literal(b, s);
}

void mime_nstring_write(struct buf *b, struct str s)
{
	if (s.p)
		mime_string_write(b, s);
	else
		buf_puts(b, "NIL");
}
