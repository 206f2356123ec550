#include "mime/preview.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/html.h"
#include "mime/structure.h"
#include "mime/transfer.h"

#define LOOK_AT_BYTES ((size_t)16384)

/* Characters on one line: white space is one space, and none at the ends. */
struct line {
	struct buf *out;
	unsigned chars;
	bool space; /* before the next character */
};

static bool is_full(const struct line *l)
{
	return l->chars >= MIME_PREVIEW_CHARS;
}

static bool is_blank(uint32_t c)
{
	/* Also no-break space, and what newsletters hide the end of their preview with. */
	return c <= ' ' || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x34f ||
	       (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) || c == 0x2060 ||
	       c == 0xfeff;
}

static void put(struct line *l, uint32_t c)
{
	if (is_blank(c)) {
		l->space = l->chars > 0;
		return;
	}
	if (l->space && l->chars + 1 < MIME_PREVIEW_CHARS) {
		buf_putc(l->out, ' ');
		l->chars++;
	}
	l->space = false;
	if (is_full(l))
		return;
	utf8_put(l->out, c);
	l->chars++;
}

static void put_text(struct line *l, struct str text)
{
	uint32_t c;

	while (!is_full(l) && text.n) {
		if (utf8_next(&text, &c) < 0)
			c = 0xfffd;
		put(l, c);
	}
	put(l, ' ');
}

static void put_plain(struct line *l, struct str text, bool quoted)
{
	STR_FOREACH_LINE (text, row) {
		/* RFC 3676 4.3: the signature begins here. */
		if (str_eq(row, STR("-- ")))
			return;
		if (quoted || !str_starts(row, STR(">")))
			put_text(l, row);
	}
}

static const struct mime_part *next_part(const struct mime_part *part)
{
	/* Messages within are not what this one says. */
	if (part->children && part->kind == MIME_PART_MULTIPART)
		return part->children;
	while (part && !part->next)
		part = part->parent;
	return part ? part->next : NULL;
}

static const struct mime_part *find_text(const struct mime_part *root, struct str subtype)
{
	for (const struct mime_part *p = root; p; p = next_part(p))
		if (p->kind == MIME_PART_LEAF && str_eq(p->type.type, STR("text")) &&
		    str_eq(p->type.subtype, subtype) &&
		    !(p->has_disposition && str_eq(p->disposition.kind, STR("attachment"))))
			return p;
	return NULL;
}

static struct str decoded(struct str message, const struct mime_part *p, struct arena *a)
{
	const struct mime_param *charset = mime_param_find(&p->type.params, STR("charset"));
	struct mime_decoder decoder;
	struct buf raw, utf8;

	buf_init(&raw, a, SIZE_MAX / 2);
	buf_init(&utf8, a, SIZE_MAX / 2);
	mime_decoder_init(&decoder, p->encoding);
	mime_decoder_put(&decoder, str_sub(mime_extent_of(message, p->body), 0, LOOK_AT_BYTES),
			 &raw);
	mime_decoder_finish(&decoder, &raw);
	mime_charset_to_utf8(charset ? charset->value : STR("us-ascii"), buf_str(&raw), &utf8);
	return buf_str(&utf8);
}

static struct str shown(struct str html, struct arena *a)
{
	struct mime_html h;
	struct buf b;

	buf_init(&b, a, SIZE_MAX / 2);
	mime_html_init(&h);
	mime_html_put(&h, html, &b);
	mime_html_finish(&h, &b);
	return buf_str(&b);
}

void mime_preview_write(struct buf *out, struct str message, const struct mime_structure *st,
			struct arena *a)
{
	const struct mime_part *plain = find_text(st->root, STR("plain"));
	const struct mime_part *html = find_text(st->root, STR("html"));
	struct line l = { .out = out };

	struct str text = plain ? decoded(message, plain, a) : STR_NONE;
	put_plain(&l, text, false);
	if (l.chars == 0 && html)
		put_text(&l, shown(decoded(message, html, a), a));
	if (l.chars == 0)
		put_plain(&l, text, true);
}
