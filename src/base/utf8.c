#include "base/utf8.h"

#include <errno.h>

/* Length of the sequence that a lead byte begins, its payload bits in *v; 0 for no lead byte. */
static size_t lead_byte(unsigned char c, uint32_t *v)
{
	if (c < 0x80)
		return *v = c, 1;
	if (c >= 0xc2 && c < 0xe0)
		return *v = c & 0x1f, 2;
	if (c >= 0xe0 && c < 0xf0)
		return *v = c & 0x0f, 3;
	if (c >= 0xf0 && c < 0xf5)
		return *v = c & 0x07, 4;
	return 0;
}

static bool is_encodable(uint32_t cp)
{
	return cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

int utf8_next(struct str *s, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (s->n == 0)
		return -ENODATA;

	uint32_t v = 0;
	size_t len = lead_byte((unsigned char)s->p[0], &v);
	bool ok = len > 0 && len <= s->n;
	for (size_t i = 1; ok && i < len; i++) {
		unsigned char c = (unsigned char)s->p[i];
		ok = (c & 0xc0) == 0x80;
		v = v << 6 | (c & 0x3f);
	}
	if (!ok || v < least[len] || !is_encodable(v)) {
		*s = str_skip(*s, 1);
		return -EILSEQ;
	}
	*s = str_skip(*s, len);
	*cp = v;
	return 0;
}

bool utf8_is_valid(struct str s)
{
	uint32_t cp;
	while (s.n)
		if (utf8_next(&s, &cp) < 0)
			return false;
	return true;
}

void utf8_put(struct buf *out, uint32_t cp)
{
	char bytes[4];
	size_t n;

	if (!is_encodable(cp))
		cp = 0xfffd;
	if (cp < 0x80) {
		buf_putc(out, (char)cp);
		return;
	}
	n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; cp >>= 6)
		bytes[i] = (char)(0x80 | (cp & 0x3f));
	bytes[0] = (char)((0xf00 >> n & 0xff) | cp);
	buf_put(out, bytes, n);
}
