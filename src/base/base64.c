#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char base64_digits[64] = {
	'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
	'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
	'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
	'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

void base64_write(struct buf *out, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	char *to = buf_space(out, (s.n + 2) / 3 * 4);
	if (!to)
		return;

	char *start = to;
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)p[i] << 16;
		v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		*to++ = base64_digits[v >> 18];
		*to++ = base64_digits[v >> 12 & 63];
		*to++ = left > 1 ? base64_digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? base64_digits[v & 63] : '=';
	}
	buf_added(out, (size_t)(to - start));
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How many of the last digits are '='; whether they may be is found out with the digits. */
static size_t padding(struct str text)
{
	if (!text.n || text.p[text.n - 1] != '=')
		return 0;
	return text.p[text.n - 2] != '=' ? 1 : 2;
}

/* One group of four; `pad` of its last digits are '='. Bits that the padding cuts off must be
 * zero. */
static int parse_group(const char *p, size_t pad, unsigned char out[3])
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		int d = i < 4 - pad ? digit_value(p[i]) : 0;
		if (d < 0)
			return -EINVAL;
		v = v << 6 | (uint32_t)d;
	}
	if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
		return -EINVAL;
	out[0] = (unsigned char)(v >> 16);
	out[1] = (unsigned char)(v >> 8);
	out[2] = (unsigned char)v;
	return 0;
}

int base64_parse(struct str text, struct buf *out)
{
	if (text.n % 4)
		return -EINVAL;

	size_t pad = padding(text);
	char *to = buf_space(out, text.n / 4 * 3 - pad);
	if (!to)
		return -ENOBUFS;
	for (size_t i = 0; i < text.n; i += 4) {
		unsigned char bytes[3];
		size_t cut = i + 4 == text.n ? pad : 0;
		if (parse_group(text.p + i, cut, bytes) < 0)
			return -EINVAL; /* what is behind out->n does not count */
		memcpy(to, bytes, 3 - cut);
		to += 3 - cut;
	}
	buf_added(out, text.n / 4 * 3 - pad);
	return 0;
}

void hex_write(struct buf *out, struct str s)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < s.n; i++) {
		buf_putc(out, digits[(unsigned char)s.p[i] >> 4]);
		buf_putc(out, digits[s.p[i] & 15]);
	}
}

int hex_parse(struct str text, struct buf *out)
{
	if (text.n % 2)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++)
		if (ascii_hex_value((unsigned char)text.p[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < text.n; i += 2)
		buf_putc(out, (char)(ascii_hex_value((unsigned char)text.p[i]) << 4 |
				     ascii_hex_value((unsigned char)text.p[i + 1])));
	return buf_failed(out) ? -ENOBUFS : 0;
}
