#include "mime/transfer.h"

#include <string.h>

#include "base/base64.h"
#include "mime/lex.h"

#define LINE_MAX_BYTES 76
#define BLOCK_BYTES    384

enum mime_encoding mime_encoding_parse(struct str value)
{
	static const struct {
		struct str name;
		enum mime_encoding encoding;
	} names[] = {
		{ STR_INIT(""), MIME_ENCODING_7BIT },
		{ STR_INIT("7bit"), MIME_ENCODING_7BIT },
		{ STR_INIT("7-bit"), MIME_ENCODING_7BIT },
		{ STR_INIT("8bit"), MIME_ENCODING_8BIT },
		{ STR_INIT("8-bit"), MIME_ENCODING_8BIT },
		{ STR_INIT("binary"), MIME_ENCODING_BINARY },
		{ STR_INIT("quoted-printable"), MIME_ENCODING_QUOTED_PRINTABLE },
		{ STR_INIT("base64"), MIME_ENCODING_BASE64 },
	};
	value = mime_lex_skip_cfws(value);
	struct str token = mime_lex_token(value);
	for (size_t i = token.n || !value.n ? 0 : ARRAY_LEN(names); i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(token, names[i].name))
			return names[i].encoding;
	return MIME_ENCODING_UNKNOWN;
}

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding)
{
	*d = (struct mime_decoder){ .encoding = encoding };
}

/* Value of each digit plus one; 0 for what is none. */
static const unsigned char base64_digits[256] = {
	['A'] = 1,  2,	3,  4,	5,  6,	7,  8,	9,  10, 11,	    12,		13,
	14,	    15, 16, 17, 18, 19, 20, 21, 22, 23, 24,	    25,		26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,	    38,		39,
	40,	    41, 42, 43, 44, 45, 46, 47, 48, 49, 50,	    51,		52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

/* Write the whole bytes of an incomplete group; returns behind them. */
static char *base64_flush(struct mime_decoder *d, char *to)
{
	if (d->n_digits >= 2)
		*to++ = (char)(d->bits >> (d->n_digits == 2 ? 4 : 10));
	if (d->n_digits == 3)
		*to++ = (char)(d->bits >> 2);
	d->errors += d->n_digits == 1;
	d->n_digits = 0;
	d->bits = 0;
	return to;
}

/* Decode whole groups at the front, as far as there are some without anything between the
 * digits. Returns the bytes taken; writes at most BLOCK_BYTES to *to and moves it. */
static size_t base64_groups(struct str s, char **to)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = 0, most = BLOCK_BYTES / 3 * 4;
	if (most > s.n)
		most = s.n;
	for (; n + 4 <= most; n += 4, *to += 3) {
		unsigned a = base64_digits[p[n]], b = base64_digits[p[n + 1]];
		unsigned c = base64_digits[p[n + 2]], d = base64_digits[p[n + 3]];
		if (!a || !b || !c || !d)
			break;
		uint32_t v = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		(*to)[0] = (char)(v >> 16);
		(*to)[1] = (char)(v >> 8);
		(*to)[2] = (char)v;
	}
	return n;
}

/* Take one byte, digit or not. Writes at most three bytes; returns behind them. */
static char *base64_byte(struct mime_decoder *d, unsigned char c, char *to)
{
	if (!base64_digits[c]) {
		if (c == '=')
			return base64_flush(d, to);
		d->errors += !ascii_is_space(c);
		return to;
	}
	d->bits = d->bits << 6 | (base64_digits[c] - 1u);
	if (++d->n_digits < 4)
		return to;
	*to++ = (char)(d->bits >> 16);
	*to++ = (char)(d->bits >> 8);
	*to++ = (char)d->bits;
	d->n_digits = 0;
	d->bits = 0;
	return to;
}

static void base64_put(struct mime_decoder *d, struct str piece, struct buf *out)
{
	while (piece.n) {
		char block[BLOCK_BYTES + 3], *to = block;
		size_t n = d->n_digits ? 0 : base64_groups(piece, &to);
		if (n < piece.n)
			to = base64_byte(d, (unsigned char)piece.p[n++], to);
		buf_put(out, block, (size_t)(to - block));
		piece = str_skip(piece, n);
	}
}

static void qp_flush_blanks(struct mime_decoder *d, struct buf *out)
{
	buf_put(out, d->blanks, d->n_blanks);
	d->n_blanks = 0;
}

static void qp_blank(struct mime_decoder *d, char c, struct buf *out)
{
	if (d->n_blanks == MIME_QP_BLANKS_MAX)
		qp_flush_blanks(d, out);
	d->blanks[d->n_blanks++] = c;
}

static void qp_text(struct mime_decoder *d, char c, struct buf *out)
{
	if (c == '\n') {
		/* RFC 2045 6.7 rule 3: white space at the end of a line was added on the way. */
		d->n_blanks = 0;
		buf_puts(out, d->after_cr ? "\r\n" : "\n");
		d->after_cr = false;
		return;
	}
	if (d->after_cr) {
		qp_flush_blanks(d, out);
		buf_putc(out, '\r');
		d->after_cr = false;
	}
	if (c == '\r') {
		d->after_cr = true;
	} else if (ascii_is_wsp((unsigned char)c)) {
		qp_blank(d, c, out);
	} else {
		qp_flush_blanks(d, out);
		if (c == '=')
			d->state = MIME_QP_ESCAPE;
		else
			buf_putc(out, c);
	}
}

/* '=' and what followed were no escape: they stand for themselves. */
static void qp_literal(struct mime_decoder *d, struct buf *out)
{
	d->errors++;
	buf_putc(out, '=');
	if (d->state == MIME_QP_DIGIT)
		buf_putc(out, d->digit);
	d->state = MIME_QP_TEXT;
}

static void qp_byte(struct mime_decoder *d, char c, struct buf *out)
{
	int v = ascii_hex_value((unsigned char)c);
	if (d->state == MIME_QP_ESCAPE && v >= 0) {
		d->digit = c;
		d->state = MIME_QP_DIGIT;
	} else if (d->state == MIME_QP_DIGIT && v >= 0) {
		buf_putc(out, (char)(ascii_hex_value((unsigned char)d->digit) << 4 | v));
		d->state = MIME_QP_TEXT;
	} else if (d->state != MIME_QP_TEXT && d->state != MIME_QP_DIGIT &&
		   ascii_is_space((unsigned char)c)) {
		if (c == '\n')
			d->n_blanks = 0;
		else if (c != '\r')
			qp_blank(d, c, out);
		d->state = c == '\n' ? MIME_QP_TEXT : MIME_QP_SOFT;
	} else {
		if (d->state != MIME_QP_TEXT)
			qp_literal(d, out);
		qp_text(d, c, out);
	}
}

/* Bytes at the front that stand for themselves and end nothing. */
static size_t qp_plain(const struct mime_decoder *d, struct str s)
{
	size_t n = 0;
	if (d->state != MIME_QP_TEXT || d->after_cr || d->n_blanks)
		return 0;
	while (n < s.n && (unsigned char)s.p[n] > ' ' && s.p[n] != '=')
		n++;
	return n;
}

void mime_decoder_put(struct mime_decoder *d, struct str piece, struct buf *out)
{
	if (d->encoding == MIME_ENCODING_BASE64) {
		base64_put(d, piece, out);
		return;
	}
	if (d->encoding != MIME_ENCODING_QUOTED_PRINTABLE) {
		buf_put_str(out, piece);
		return;
	}
	while (piece.n) {
		size_t plain = qp_plain(d, piece);
		buf_put(out, piece.p, plain);
		piece = str_skip(piece, plain);
		if (piece.n)
			qp_byte(d, piece.p[0], out);
		piece = str_skip(piece, 1);
	}
}

void mime_decoder_finish(struct mime_decoder *d, struct buf *out)
{
	if (d->encoding == MIME_ENCODING_BASE64) {
		char bytes[2];
		d->errors += d->n_digits > 1; /* no padding */
		buf_put(out, bytes, (size_t)(base64_flush(d, bytes) - bytes));
	} else if (d->encoding == MIME_ENCODING_QUOTED_PRINTABLE) {
		if (d->state == MIME_QP_DIGIT)
			qp_literal(d, out);
		if (d->after_cr)
			buf_putc(out, '\r');
	}
	mime_decoder_init(d, d->encoding);
}

void mime_encoder_init(struct mime_encoder *e, enum mime_encoding encoding)
{
	*e = (struct mime_encoder){ .encoding = encoding };
}

static void base64_line(struct mime_encoder *e, struct buf *out)
{
	base64_write(out, str_of(e->line, e->n_line));
	buf_puts(out, "\r\n");
	e->n_line = 0;
}

static void base64_encode(struct mime_encoder *e, struct str piece, struct buf *out)
{
	while (piece.n) {
		struct str part = str_sub(piece, 0, sizeof(e->line) - e->n_line);
		memcpy(e->line + e->n_line, part.p, part.n);
		e->n_line += (unsigned)part.n;
		piece = str_skip(piece, part.n);
		if (e->n_line == sizeof(e->line))
			base64_line(e, out);
	}
}

/* One byte, plain or escaped, after a soft line break if it does not fit. */
static void qp_put(struct mime_encoder *e, char c, bool escape, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned width = escape ? 3 : 1;
	if (e->n_line + width > LINE_MAX_BYTES - 1) {
		buf_puts(out, "=\r\n");
		e->n_line = 0;
	}
	e->n_line += width;
	if (!escape) {
		buf_putc(out, c);
		return;
	}
	buf_putc(out, '=');
	buf_putc(out, digits[(unsigned char)c >> 4]);
	buf_putc(out, digits[c & 15]);
}

static void qp_put_blank(struct mime_encoder *e, bool escape, struct buf *out)
{
	if (e->blank)
		qp_put(e, e->blank, escape, out);
	e->blank = '\0';
}

static void qp_encode(struct mime_encoder *e, char c, struct buf *out)
{
	if (c == '\n') {
		qp_put_blank(e, true, out);
		buf_puts(out, "\r\n");
		e->n_line = 0;
		e->after_cr = false;
		return;
	}
	if (e->after_cr) {
		qp_put_blank(e, false, out);
		qp_put(e, '\r', true, out);
		e->after_cr = false;
	}
	if (c == '\r') {
		e->after_cr = true;
		return;
	}
	qp_put_blank(e, false, out);
	if (ascii_is_wsp((unsigned char)c))
		e->blank = c;
	else
		qp_put(e, c, c < ' ' || c > '~' || c == '=', out);
}

void mime_encoder_put(struct mime_encoder *e, struct str piece, struct buf *out)
{
	if (e->encoding == MIME_ENCODING_BASE64)
		base64_encode(e, piece, out);
	else if (e->encoding == MIME_ENCODING_QUOTED_PRINTABLE)
		for (size_t i = 0; i < piece.n; i++)
			qp_encode(e, piece.p[i], out);
	else
		buf_put_str(out, piece);
}

void mime_encoder_finish(struct mime_encoder *e, struct buf *out)
{
	if (e->encoding == MIME_ENCODING_BASE64 && e->n_line) {
		base64_line(e, out);
	} else if (e->encoding == MIME_ENCODING_QUOTED_PRINTABLE) {
		bool after_cr = e->after_cr;
		qp_put_blank(e, !after_cr, out);
		if (after_cr)
			qp_put(e, '\r', true, out);
	}
	mime_encoder_init(e, e->encoding);
}
