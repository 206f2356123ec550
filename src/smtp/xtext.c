#include "smtp/xtext.h"

#include <errno.h>

/* Take one byte's meaning off the front; -1 when the text is malformed. */
static int take_meaning(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	if (c < '!' || c > '~' || c == '=')
		return -1;
	if (c != '+') {
		*s = str_skip(*s, 1);
		return c;
	}
	if (s->n < 3)
		return -1;
	int high = ascii_hex_value((unsigned char)s->p[1]);
	int low = ascii_hex_value((unsigned char)s->p[2]);
	*s = str_skip(*s, 3);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int smtp_xtext_parse(struct str text, struct buf *out)
{
	size_t before = out->n;
	while (text.n) {
		int c = take_meaning(&text);
		if (c < 0) {
			out->n = before;
			return -EINVAL;
		}
		buf_putc(out, (char)c);
	}
	return 0;
}

bool smtp_xtext_is_printable(struct str text)
{
	while (text.n) {
		int c = take_meaning(&text);
		if (c < ' ' || c > '~')
			return false;
	}
	return true;
}
