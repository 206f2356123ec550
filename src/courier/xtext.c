#include "courier/xtext.h"

void courier_xtext_write(struct buf *out, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c > ' ' && c < 0x7f && c != '+' && c != '=') {
			buf_putc(out, (char)c);
			continue;
		}
		buf_putc(out, '+');
		buf_putc(out, digits[c >> 4]);
		buf_putc(out, digits[c & 15]);
	}
}
