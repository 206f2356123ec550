#include "mime/utf7.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

/* Base64 with ',' in the place of '/', which separates mailboxes on many servers. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The bits of a shifted run that do not fill a digit or a UTF-16 unit yet. */
struct bits {
	uint32_t value;
	unsigned n;
};

static bool is_direct(uint32_t cp)
{
	return cp >= ' ' && cp <= '~';
}

static void put_unit(struct buf *out, struct bits *b, uint32_t unit)
{
	b->value = b->value << 16 | unit;
	b->n += 16;
	while (b->n >= 6) {
		b->n -= 6;
		buf_putc(out, digits[b->value >> b->n & 63]);
	}
}

static void put_shifted(struct buf *out, struct bits *b, uint32_t cp)
{
	if (cp >= 0x10000) {
		cp -= 0x10000;
		put_unit(out, b, 0xd800 | cp >> 10);
		cp = 0xdc00 | (cp & 0x3ff);
	}
	put_unit(out, b, cp);
}

static void end_shifted(struct buf *out, struct bits *b)
{
	if (b->n)
		buf_putc(out, digits[b->value << (6 - b->n) & 63]);
	buf_putc(out, '-');
	*b = (struct bits){ 0 };
}

int mime_utf7_encode(struct str text, struct buf *out)
{
	if (!utf8_is_valid(text))
		return -EILSEQ;

	struct bits b = { 0 };
	bool shifted = false;
	uint32_t cp;
	while (utf8_next(&text, &cp) == 0) {
		if (shifted && is_direct(cp))
			end_shifted(out, &b);
		if (!shifted && !is_direct(cp))
			buf_putc(out, '&');
		shifted = !is_direct(cp);
		if (shifted)
			put_shifted(out, &b, cp);
		else if (cp == '&')
			buf_puts(out, "&-");
		else
			buf_putc(out, (char)cp);
	}
	if (shifted)
		end_shifted(out, &b);
	return 0;
}

/* Append one UTF-16 unit; *high is the first half of a pair or 0. */
static int take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool is_low = (unit & 0xfc00) == 0xdc00;
	if (is_low != (*high != 0))
		return -EINVAL;
	if ((unit & 0xfc00) == 0xd800) {
		*high = unit;
		return 0;
	}
	utf8_put(out, is_low ? 0x10000 + ((*high & 0x3ff) << 10 | (unit & 0x3ff)) : unit);
	*high = 0;
	return 0;
}

/* Decode the digits between '&' and '-'. */
static int take_shifted(struct buf *out, struct str run)
{
	struct bits b = { 0 };
	uint32_t high = 0;
	for (size_t i = 0; i < run.n; i++) {
		const char *digit = run.p[i] ? strchr(digits, run.p[i]) : NULL;
		if (!digit)
			return -EINVAL;
		b.value = b.value << 6 | (uint32_t)(digit - digits);
		b.n += 6;
		if (b.n < 16)
			continue;
		b.n -= 16;
		if (take_unit(out, b.value >> b.n & 0xffff, &high) < 0)
			return -EINVAL;
	}
	return high ? -EINVAL : 0;
}

static int decode(struct str name, struct buf *out)
{
	while (name.n) {
		struct str direct, run;
		bool shifts = str_cut(name, '&', &direct, &name);
		buf_put_str(out, direct);
		if (!shifts)
			return 0;
		if (!str_cut(name, '-', &run, &name))
			return -EINVAL;
		if (run.n == 0)
			buf_putc(out, '&');
		else if (take_shifted(out, run) < 0)
			return -EINVAL;
	}
	return 0;
}

int mime_utf7_decode(struct str name, struct buf *out)
{
	size_t before = out->n;
	auto_buf struct buf again;
	buf_init(&again, NULL, name.n);

	/* What does not come out the same was not the one encoding of its text. */
	int r = decode(name, out);
	if (r == 0 && !buf_failed(out))
		r = mime_utf7_encode(str_skip(buf_str(out), before), &again);
	if (r < 0 || (!buf_failed(out) && (buf_failed(&again) || !str_eq(buf_str(&again), name)))) {
		out->n = before;
		return -EINVAL;
	}
	return 0;
}
