#include "mime/html.h"

#include "base/utf8.h"

static const struct {
	const char *name;
	uint32_t c;
} entities[] = {
	{ "amp", '&' },	     { "lt", '<' },	  { "gt", '>' },       { "quot", '"' },
	{ "apos", '\'' },    { "nbsp", ' ' },	  { "auml", 0xe4 },    { "ouml", 0xf6 },
	{ "uuml", 0xfc },    { "Auml", 0xc4 },	  { "Ouml", 0xd6 },    { "Uuml", 0xdc },
	{ "szlig", 0xdf },   { "eacute", 0xe9 },  { "egrave", 0xe8 },  { "ecirc", 0xea },
	{ "agrave", 0xe0 },  { "aacute", 0xe1 },  { "acirc", 0xe2 },   { "atilde", 0xe3 },
	{ "aring", 0xe5 },   { "aelig", 0xe6 },	  { "ccedil", 0xe7 },  { "iacute", 0xed },
	{ "ntilde", 0xf1 },  { "oacute", 0xf3 },  { "ocirc", 0xf4 },   { "otilde", 0xf5 },
	{ "oslash", 0xf8 },  { "uacute", 0xfa },  { "Eacute", 0xc9 },  { "Aring", 0xc5 },
	{ "euro", 0x20ac },  { "pound", 0xa3 },	  { "copy", 0xa9 },    { "reg", 0xae },
	{ "trade", 0x2122 }, { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },
	{ "rsquo", 0x2019 }, { "ldquo", 0x201c }, { "rdquo", 0x201d }, { "hellip", 0x2026 },
	{ "bull", 0x2022 },  { "laquo", 0xab },	  { "raquo", 0xbb },   { "middot", 0xb7 },
	{ "zwnj", 0x200c },  { "shy", 0xad },
};

/* Elements whose contents are not shown, and what ends them. */
static const struct {
	const char *name, *end;
} hidden[] = {
	{ "style", "</style" },
	{ "script", "</script" },
	{ "title", "</title" },
};

/* Tags that do not separate words. */
static const char *const inline_tags[] = {
	"a", "abbr",  "b",    "big",	"code",	  "del", "em",	"font", "i", "ins", "mark",
	"s", "small", "span", "strike", "strong", "sub", "sup", "tt",	"u", "wbr",
};

void mime_html_init(struct mime_html *h)
{
	*h = (struct mime_html){ .state = MIME_HTML_TEXT };
}

static void put_bytes(struct mime_html *h, struct str s, struct buf *out)
{
	if (h->space)
		buf_putc(out, ' ');
	h->space = false;
	buf_put_str(out, s);
}

static void put_space(struct mime_html *h)
{
	h->space = true;
}

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

/* 0 for what is none. */
static uint32_t entity_of(struct str name)
{
	if (name.n > 1 && name.p[0] == '#')
		return number_of(str_skip(name, 1));
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (str_eq(name, str_from(entities[i].name)))
			return entities[i].c;
	return 0;
}

static struct str word(const struct mime_html *h)
{
	return str_of(h->word, h->n_word);
}

/* What looked like an entity is text. */
static void put_no_entity(struct mime_html *h, struct buf *out)
{
	put_bytes(h, STR("&"), out);
	put_bytes(h, word(h), out);
	h->state = MIME_HTML_TEXT;
}

static void entity_end(struct mime_html *h, struct buf *out)
{
	uint32_t c = entity_of(word(h));

	if (c == 0) {
		put_no_entity(h, out);
		put_bytes(h, STR(";"), out);
		return;
	}
	h->state = MIME_HTML_TEXT;
	if (c <= ' ' || c == 0xa0) {
		put_space(h);
		return;
	}
	put_bytes(h, STR(""), out);
	utf8_put(out, c);
}

static void begin(struct mime_html *h, enum mime_html_state state)
{
	h->state = state;
	h->n_word = h->matched = 0;
	h->last = '\0';
}

static bool is_inline(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(inline_tags); i++)
		if (str_eq(name, str_from(inline_tags[i])))
			return true;
	return false;
}

static void tag_end(struct mime_html *h)
{
	struct str name = word(h);
	bool closes = str_starts(name, STR("/"));

	if (!is_inline(closes ? str_skip(name, 1) : name))
		put_space(h);
	begin(h, MIME_HTML_TEXT);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		if (!str_eq(name, str_from(hidden[i].name)))
			continue;
		h->hidden = hidden[i].end;
		begin(h, MIME_HTML_HIDDEN);
	}
}

/* Bytes of what ends a hidden stretch follow each other. True at its end. */
static bool match_end(struct mime_html *h, const char *end, char c)
{
	if (ascii_lower(c) == end[h->matched])
		h->matched++;
	else if (c != '-' || h->matched < 2) /* "--->" */
		h->matched = ascii_lower(c) == end[0];
	return end[h->matched] == '\0';
}

static void tag_name_byte(struct mime_html *h, char c)
{
	bool part = ascii_is_alnum((unsigned char)c) ||
		    (h->n_word == 0 && (c == '/' || c == '!' || c == '?')) || c == '-';

	if (c == '>') {
		tag_end(h);
	} else if (part && h->n_word < MIME_HTML_WORD_MAX) {
		h->word[h->n_word++] = ascii_lower(c);
		if (str_eq(word(h), STR("!--")))
			begin(h, MIME_HTML_COMMENT);
	} else {
		h->state = MIME_HTML_TAG;
		h->last = c;
	}
}

static void tag_byte(struct mime_html *h, char c)
{
	if (c == '>') {
		tag_end(h);
	} else if ((c == '"' || c == '\'') && h->last == '=') {
		h->quote = c;
		h->state = MIME_HTML_VALUE;
	} else if (!ascii_is_space((unsigned char)c)) {
		h->last = c;
	}
}

static void put_byte(struct mime_html *h, char c, struct buf *out)
{
	switch (h->state) {
	case MIME_HTML_TEXT:
		if (c == '<')
			begin(h, MIME_HTML_TAG_NAME);
		else if (c == '&')
			begin(h, MIME_HTML_ENTITY);
		else if ((unsigned char)c <= ' ')
			put_space(h);
		else
			put_bytes(h, str_of(&c, 1), out);
		return;
	case MIME_HTML_ENTITY:
		if (c == ';') {
			entity_end(h, out);
		} else if ((ascii_is_alnum((unsigned char)c) || c == '#') &&
			   h->n_word < MIME_HTML_WORD_MAX) {
			h->word[h->n_word++] = c;
		} else {
			put_no_entity(h, out);
			put_byte(h, c, out);
		}
		return;
	case MIME_HTML_TAG_NAME:
		tag_name_byte(h, c);
		return;
	case MIME_HTML_TAG:
		tag_byte(h, c);
		return;
	case MIME_HTML_VALUE:
		if (c == h->quote)
			h->state = MIME_HTML_TAG;
		h->last = c;
		return;
	case MIME_HTML_COMMENT:
		if (match_end(h, "-->", c))
			begin(h, MIME_HTML_TEXT);
		return;
	case MIME_HTML_HIDDEN:
		/* The end tag goes on to its '>'. */
		if (match_end(h, h->hidden, c))
			begin(h, MIME_HTML_TAG);
		return;
	}
}

/* Bytes that are nothing but text. */
static size_t text_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] > ' ' && s.p[n] != '<' && s.p[n] != '&')
		n++;
	return n;
}

void mime_html_put(struct mime_html *h, struct str html, struct buf *out)
{
	while (html.n) {
		size_t run = h->state == MIME_HTML_TEXT ? text_run(html) : 0;
		if (run)
			put_bytes(h, str_sub(html, 0, run), out);
		else
			put_byte(h, html.p[0], out);
		html = str_skip(html, run ? run : 1);
	}
}

void mime_html_finish(struct mime_html *h, struct buf *out)
{
	if (h->state == MIME_HTML_ENTITY)
		put_no_entity(h, out);
	mime_html_init(h);
}
