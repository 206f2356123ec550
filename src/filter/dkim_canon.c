#include "filter/dkim_canon.h"

static void canon_value(struct buf *out, struct str value)
{
	bool space = false, any = false;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		/* Unfolding takes the line end only; the white space behind it remains. */
		if (c == '\n' || (c == '\r' && i + 1 < value.n && value.p[i + 1] == '\n'))
			continue;
		if (ascii_is_wsp((unsigned char)c)) {
			space = true;
			continue;
		}
		if (space && any)
			buf_putc(out, ' ');
		buf_putc(out, c);
		space = false;
		any = true;
	}
}

void dkim_canon_field(struct buf *out, enum dkim_canon canon, struct str field)
{
	struct str name, value;

	if (canon == DKIM_SIMPLE) {
		buf_put_str(out, field);
		return;
	}
	str_cut(field, ':', &name, &value);
	name = str_trim_end(name);
	for (size_t i = 0; i < name.n; i++)
		buf_putc(out, ascii_lower(name.p[i]));
	buf_putc(out, ':');
	canon_value(out, value);
}

void dkim_canon_body_init(struct dkim_canon_body *b, enum dkim_canon canon, dkim_sink *sink,
			  void *ctx)
{
	b->canon = canon;
	b->sink = sink;
	b->ctx = ctx;
	b->line_ends = 0;
	b->cr = b->wsp = b->any = false;
	b->n = 0;
}

static void flush(struct dkim_canon_body *b)
{
	if (b->n)
		b->sink(b->ctx, str_of(b->out, b->n));
	b->n = 0;
}

static void put(struct dkim_canon_body *b, struct str s)
{
	if (s.n > sizeof(b->out) - b->n) {
		flush(b);
		if (s.n > sizeof(b->out)) {
			b->sink(b->ctx, s);
			return;
		}
	}
	if (s.n)
		memcpy(b->out + b->n, s.p, s.n);
	b->n += s.n;
}

/* Text comes: what was held back before it counts after all. */
static void release(struct dkim_canon_body *b)
{
	for (; b->line_ends; b->line_ends--)
		put(b, STR("\r\n"));
	if (b->wsp)
		put(b, STR(" "));
	if (b->cr)
		put(b, STR("\r"));
	b->wsp = b->cr = false;
	b->any = true;
}

static void feed_simple(struct dkim_canon_body *b, struct str piece)
{
	size_t n = piece.n;
	uint64_t ends = 0;
	bool cr = piece.p[n - 1] == '\r';

	n -= cr;
	while (n >= 2 && piece.p[n - 2] == '\r' && piece.p[n - 1] == '\n') {
		n -= 2;
		ends++;
	}
	/* A CR that was held back before this one is followed by something else than LF. */
	if (n || b->cr) {
		release(b);
		put(b, str_sub(piece, 0, n));
	}
	b->line_ends += ends;
	b->cr = cr;
}

static bool is_plain(char c)
{
	return (unsigned char)c > ' ' || (c != ' ' && c != '\t' && c != '\r');
}

/* Bytes at the front that relaxed canonicalization leaves alone: words, with one space or one line
 * end between them. So most bodies go to the hash as they are, without being copied. */
static size_t plain_length(struct str s)
{
	size_t n = 0;

	while (n < s.n) {
		if (is_plain(s.p[n]))
			n++;
		else if (n && s.n - n > 1 && s.p[n] == ' ' && is_plain(s.p[n + 1]))
			n++;
		else if (n && s.n - n > 2 && s.p[n] == '\r' && s.p[n + 1] == '\n' &&
			 is_plain(s.p[n + 2]))
			n += 2;
		else
			break;
	}
	return n;
}

static void feed_relaxed(struct dkim_canon_body *b, struct str s)
{
	while (s.n) {
		size_t n = plain_length(s);
		if (b->cr && s.p[0] == '\n') {
			b->line_ends++;
			b->cr = b->wsp = false;
			n = 1;
		} else if (n) {
			release(b);
			put(b, str_sub(s, 0, n));
		} else if (s.p[0] == '\r') {
			if (b->cr)
				release(b);
			b->cr = true;
			n = 1;
		} else {
			if (b->cr)
				release(b);
			b->wsp = true;
			n = 1;
		}
		s = str_skip(s, n);
	}
}

void dkim_canon_body_feed(struct dkim_canon_body *b, struct str piece)
{
	if (b->canon == DKIM_RELAXED) {
		feed_relaxed(b, piece);
		return;
	}
	if (b->cr && piece.n && piece.p[0] == '\n') {
		b->line_ends++;
		b->cr = false;
		piece = str_skip(piece, 1);
	}
	if (piece.n)
		feed_simple(b, piece);
}

void dkim_canon_body_end(struct dkim_canon_body *b)
{
	if (b->cr)
		release(b);
	/* RFC 6376 3.4.3, 3.4.4: an empty body is CRLF to one, and nothing to the other. */
	if (b->any || b->canon == DKIM_SIMPLE)
		put(b, STR("\r\n"));
	flush(b);
}
