#include "mime/preview.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/structure.h"
#include "mime/transfer.h"

#define LOOK_AT_BYTES ((size_t)16384)
#define ENTITY_MAX    ((size_t)10)

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

static const struct {
	const char *name;
	uint32_t c;
} entities[] = {
	{ "amp", '&' },	     { "lt", '<' },	  { "gt", '>' },	{ "quot", '"' },
	{ "apos", '\'' },    { "nbsp", ' ' },	  { "auml", 0xe4 },	{ "ouml", 0xf6 },
	{ "uuml", 0xfc },    { "Auml", 0xc4 },	  { "Ouml", 0xd6 },	{ "Uuml", 0xdc },
	{ "szlig", 0xdf },   { "eacute", 0xe9 },  { "egrave", 0xe8 },	{ "agrave", 0xe0 },
	{ "ccedil", 0xe7 },  { "euro", 0x20ac },  { "copy", 0xa9 },	{ "reg", 0xae },
	{ "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },	{ "rsquo", 0x2019 },
	{ "ldquo", 0x201c }, { "rdquo", 0x201d }, { "hellip", 0x2026 }, { "bull", 0x2022 },
	{ "zwnj", 0x200c },  { "shy", 0xad },
};

static uint32_t number_of(struct str digits)
{
	bool hex = digits.n && ascii_lower(digits.p[0]) == 'x';
	uint32_t c = 0;

	for (size_t i = hex; i < digits.n; i++) {
		int v = ascii_hex_value((unsigned char)digits.p[i]);
		if (v < 0 || (!hex && v > 9) || c > 0x10ffff)
			return 0xfffd;
		c = c * (hex ? 16 : 10) + (uint32_t)v;
	}
	return c;
}

/* An entity at the front of s, behind its '&': its bytes with the ';', or 0. */
static size_t entity(struct str s, uint32_t *c)
{
	ssize_t end = str_find_byte(str_sub(s, 0, ENTITY_MAX), ';');

	if (end <= 0)
		return 0;
	struct str name = str_sub(s, 0, (size_t)end);
	if (name.p[0] == '#') {
		*c = number_of(str_skip(name, 1));
		return (size_t)end + 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (str_eq(name, str_from(entities[i].name))) {
			*c = entities[i].c;
			return (size_t)end + 1;
		}
	return 0;
}

/* Bytes from a '<' to behind its '>', or to behind the end of an element whose contents are not
 * shown. */
static size_t tag_size(struct str s)
{
	static const struct {
		struct str begin, end;
	} hidden[] = {
		{ STR_INIT("<!--"), STR_INIT("-->") },
		{ STR_INIT("<style"), STR_INIT("</style>") },
		{ STR_INIT("<script"), STR_INIT("</script>") },
		{ STR_INIT("<title"), STR_INIT("</title>") },
		{ STR_INIT("<head>"), STR_INIT("</head>") },
	};

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		if (!str_starts_nocase(s, hidden[i].begin))
			continue;
		ssize_t end = str_find_nocase(s, hidden[i].end);
		return end < 0 ? s.n : (size_t)end + hidden[i].end.n;
	}
	ssize_t end = str_find_byte(s, '>');
	return end < 0 ? s.n : (size_t)end + 1;
}

static void put_html(struct line *l, struct str html)
{
	uint32_t c;

	while (html.n && !is_full(l)) {
		size_t n = 0;
		if (html.p[0] == '<') {
			html = str_skip(html, tag_size(html));
			put(l, ' ');
			continue;
		}
		if (html.p[0] == '&')
			n = entity(str_skip(html, 1), &c);
		if (n)
			html = str_skip(html, n + 1);
		else if (utf8_next(&html, &c) < 0)
			c = 0xfffd;
		put(l, c);
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

void mime_preview_write(struct buf *out, struct str message, const struct mime_structure *st,
			struct arena *a)
{
	const struct mime_part *plain = find_text(st->root, STR("plain"));
	const struct mime_part *html = find_text(st->root, STR("html"));
	struct line l = { .out = out };

	struct str text = plain ? decoded(message, plain, a) : STR_NONE;
	put_plain(&l, text, false);
	if (l.chars == 0 && html)
		put_html(&l, decoded(message, html, a));
	if (l.chars == 0)
		put_plain(&l, text, true);
}
