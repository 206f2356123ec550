#include "smtp/data.h"

/* A step puts out at most this many pieces. */
#define STEP_PIECES 2

void smtp_data_init(struct smtp_data *d, enum smtp_data_policy policy, bool dots)
{
	*d = (struct smtp_data){ .policy = policy, .dots = dots };
}

static void put(struct smtp_data *d, struct smtp_pieces *out, struct str s)
{
	if (s.n == 0)
		return;
	d->size += s.n;
	struct str *last = out->count ? &out->v[out->count - 1] : NULL;
	if (last && last->p + last->n == s.p) {
		last->n += s.n;
		return;
	}
	check(out->count < SMTP_DATA_PIECES);
	out->v[out->count++] = s;
}

static void end_line(struct smtp_data *d, struct smtp_pieces *out, enum smtp_data_state next)
{
	if (d->line > d->line_max)
		d->line_max = d->line;
	d->line = 0;
	d->state = next;
	put(d, out, STR("\r\n"));
}

static void bare_lf(struct smtp_data *d, struct smtp_pieces *out)
{
	d->found |= SMTP_DATA_BARE_LF;
	end_line(d, out, SMTP_DATA_SOFT_START);
}

static void bare_cr(struct smtp_data *d, struct smtp_pieces *out)
{
	d->found |= SMTP_DATA_BARE_CR;
	d->line++;
	d->state = SMTP_DATA_TEXT;
	put(d, out, STR(" "));
}

/* The bytes before the first CR or LF. */
static size_t text_span(struct str s)
{
	const char *cr = memchr(s.p, '\r', s.n);
	size_t n = cr ? (size_t)(cr - s.p) : s.n;
	const char *lf = memchr(s.p, '\n', n);
	return lf ? (size_t)(lf - s.p) : n;
}

/* Whole lines and text with nothing to decide about, in one slice: the usual case. Returns its
 * length; the state is that of the byte behind it. */
static size_t pass_text(struct smtp_data *d, struct str in, struct smtp_pieces *out)
{
	size_t at = 0;
	for (;;) {
		size_t n = text_span(str_skip(in, at));
		at += n;
		d->line += n;
		if (n)
			d->state = SMTP_DATA_TEXT;
		if (at + 1 >= in.n || in.p[at] != '\r' || in.p[at + 1] != '\n')
			break;
		at += 2;
		if (d->line > d->line_max)
			d->line_max = d->line;
		d->line = 0;
		d->state = SMTP_DATA_LINE_START;
		if (at == in.n || (d->dots && in.p[at] == '.'))
			break;
	}
	put(d, out, str_sub(in, 0, at));
	return at;
}

/* One byte in a state that knows what it is about. Returns whether the byte was used up;
 * otherwise it is to be looked at again in the new state. */
static bool step_held(struct smtp_data *d, char c, struct smtp_pieces *out)
{
	switch (d->state) {
	case SMTP_DATA_CR:
		if (c == '\n') {
			end_line(d, out, SMTP_DATA_LINE_START);
			return true;
		}
		bare_cr(d, out);
		return false;
	case SMTP_DATA_DOT:
		d->state = c == '\r' ? SMTP_DATA_DOT_CR : SMTP_DATA_TEXT;
		return c == '\r';
	case SMTP_DATA_DOT_CR:
		if (c == '\n') {
			d->state = SMTP_DATA_END;
			return true;
		}
		bare_cr(d, out);
		return false;
	default:
		check(false);
		return true;
	}
}

static bool is_held(enum smtp_data_state state)
{
	return state == SMTP_DATA_CR || state == SMTP_DATA_DOT || state == SMTP_DATA_DOT_CR;
}

/* Use up at least one byte of `in`, or change the state. */
static size_t step(struct smtp_data *d, struct str in, struct smtp_pieces *out)
{
	if (is_held(d->state))
		return step_held(d, in.p[0], out) ? 1 : 0;

	if (d->dots && in.p[0] == '.' && d->state != SMTP_DATA_TEXT) {
		/* Only a line that began after CR LF can be the end. */
		d->state = d->state == SMTP_DATA_LINE_START ? SMTP_DATA_DOT : SMTP_DATA_TEXT;
		return 1;
	}
	size_t n = pass_text(d, in, out);
	if (n == in.n || (d->dots && in.p[n] == '.'))
		return n;
	if (in.p[n] == '\n')
		bare_lf(d, out);
	else
		d->state = SMTP_DATA_CR;
	return n + 1;
}

/* Eight bytes at a time: is there a byte with the high bit? */
static bool has_8bit(struct str s)
{
	uint64_t all = 0;
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t v;
		memcpy(&v, s.p + i, 8);
		all |= v;
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return (all & 0x8080808080808080) != 0;
}

static void look_for_bytes(struct smtp_data *d, struct str used)
{
	if (!(d->found & SMTP_DATA_NUL) && used.n && memchr(used.p, '\0', used.n))
		d->found |= SMTP_DATA_NUL;
	if (!(d->found & SMTP_DATA_8BIT) && has_8bit(used))
		d->found |= SMTP_DATA_8BIT;
}

size_t smtp_data_decode(struct smtp_data *d, struct str in, struct smtp_pieces *out)
{
	size_t used = 0;
	out->count = 0;
	if (d->policy == SMTP_DATA_BINARY) {
		put(d, out, in);
		used = in.n;
	}
	while (used < in.n && d->state != SMTP_DATA_END &&
	       out->count + STEP_PIECES <= SMTP_DATA_PIECES)
		used += step(d, str_skip(in, used), out);
	look_for_bytes(d, str_sub(in, 0, used));
	return used;
}

void smtp_data_finish(struct smtp_data *d, struct smtp_pieces *out)
{
	out->count = 0;
	if (d->state == SMTP_DATA_CR || d->state == SMTP_DATA_DOT_CR)
		bare_cr(d, out);
	if (d->line && d->policy != SMTP_DATA_BINARY)
		end_line(d, out, SMTP_DATA_END);
	d->state = SMTP_DATA_END;
}
