#include "mime/param.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "mime/lex.h"

#define SECTION_NONE (-1)

/* One "name*section*=value" as it stands in the field. */
struct section {
	struct str name;
	struct str value; /* unquoted, still percent-encoded */
	int number;	  /* SECTION_NONE without one */
	bool is_extended;
	bool used; /* by a parameter already made */
};

struct sections {
	struct section *items;
	size_t n, cap;
	bool truncated;
};

static struct str lowered(struct str s, struct arena *a)
{
	char *p = arena_cstr(a, s);
	str_lower_bytes(p, s.n);
	return str_of(p, s.n);
}

/* Split the attribute of RFC 2231: "name", "name*", "name*3" or "name*3*". */
static void parse_attribute(struct str attribute, struct section *out)
{
	out->number = SECTION_NONE;
	out->name = attribute;
	if (str_ends(out->name, STR("*"))) {
		out->is_extended = true;
		out->name.n--;
	}
	ssize_t star = str_rfind_byte(out->name, '*');
	uint64_t number;
	if (star > 0 && str_to_u64(str_skip(out->name, (size_t)star + 1),
				   MIME_PARAM_SECTIONS_MAX - 1, &number) == 0) {
		out->number = (int)number;
		out->name.n = (size_t)star;
	}
}

/* An unquoted value without the comment that ends it. A parenthesis elsewhere is part of a file
 * name that should have been quoted: "report (1).pdf". */
static struct str without_comment(struct str value)
{
	size_t at = 0;
	while (at < value.n &&
	       !(value.p[at] == '(' && (at == 0 || ascii_is_space((unsigned char)value.p[at - 1]))))
		at++;
	if (at == value.n || mime_lex_enclosed(value, at) < value.n)
		return value;
	return str_trim_end(str_sub(value, 0, at));
}

/* The value at the front of *rest up to its ';', which is consumed. Unquoted white space within
 * is let through: file names often stand there bare. */
static struct str take_value(struct str *rest, struct arena *a)
{
	struct str s = mime_lex_skip_cfws(*rest);
	size_t end = mime_lex_find(s, ";");
	struct str raw = str_trim(str_sub(s, 0, end));
	*rest = str_skip(s, end + 1);

	bool quoted = str_starts(raw, STR("\""));
	if (quoted)
		raw = mime_lex_inside(str_sub(raw, 0, mime_lex_enclosed(raw, 0)));
	else
		raw = without_comment(raw);
	struct buf b;
	buf_init(&b, a, raw.n);
	if (quoted)
		mime_lex_unquote(&b, raw);
	for (size_t i = 0; !quoted && i < raw.n; i++)
		if ((unsigned char)raw.p[i] >= ' ' || raw.p[i] == '\t')
			buf_putc(&b, raw.p[i]);
	return buf_str(&b);
}

static struct section *sections_add(struct sections *all, struct arena *a)
{
	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 4;
		struct section *items = ARENA_NEW_ARRAY(a, struct section, cap);
		if (all->n)
			memcpy(items, all->items, all->n * sizeof(*items));
		all->items = items;
		all->cap = cap;
	}
	return &all->items[all->n++];
}

/* Collect the parameters that follow a type or kind. */
static void take_sections(struct str rest, struct arena *a, struct sections *out)
{
	while ((rest = mime_lex_skip_cfws(rest)).n) {
		size_t n = mime_lex_find(rest, "=;");
		if (n == rest.n || rest.p[n] == ';') {
			rest = str_skip(rest, n + 1);
			continue;
		}
		if (out->n == MIME_PARAM_SECTIONS_MAX) {
			out->truncated = true;
			return;
		}
		struct str attribute = lowered(str_trim(str_sub(rest, 0, n)), a);
		struct section s = { 0 };
		parse_attribute(attribute, &s);
		rest = str_skip(rest, n + 1);
		s.value = take_value(&rest, a);
		if (s.name.n)
			*sections_add(out, a) = s;
	}
}

static void put_percent_decoded(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		int high = -1, low = -1;
		if (s.p[i] == '%' && s.n - i > 2) {
			high = ascii_hex_value((unsigned char)s.p[i + 1]);
			low = ascii_hex_value((unsigned char)s.p[i + 2]);
		}
		if (high < 0 || low < 0) {
			buf_putc(out, s.p[i]);
		} else {
			buf_putc(out, (char)(high << 4 | low));
			i += 2;
		}
	}
}

/* The section of that name and number that is not used up. */
static struct section *find_section(struct sections *all, struct str name, int number,
				    bool only_extended)
{
	for (size_t i = 0; i < all->n; i++) {
		struct section *s = &all->items[i];
		if (!s->used && s->number == number && (s->is_extended || !only_extended) &&
		    str_eq(s->name, name))
			return s;
	}
	return NULL;
}

/* Take charset'language' off the front of the first section; tolerates their absence. */
static struct str take_charset(struct str value, struct mime_param *p)
{
	struct str charset, language, rest;
	if (!str_cut(value, '\'', &charset, &rest) || !str_cut(rest, '\'', &language, &rest))
		return value;
	p->charset = charset;
	p->language = language;
	return rest;
}

/* Join what belongs to the name of `first`. The extended form wins over sections, and these over
 * a plain value: senders put the latter beside them for readers that do not know RFC 2231.
 * Sections end at a gap. */
static void join(struct sections *all, struct section *first, struct arena *a,
		 struct mime_param *out)
{
	*out = (struct mime_param){ .name = first->name };
	struct section *s = find_section(all, first->name, SECTION_NONE, true);
	if (!s)
		s = find_section(all, first->name, 0, false);
	if (!s)
		s = first;

	struct buf b;
	buf_init(&b, a, SIZE_MAX / 2);
	out->is_extended = s->is_extended;
	struct str value = s->is_extended ? take_charset(s->value, out) : s->value;
	int number = s->number;
	while (s) {
		if (s->is_extended)
			put_percent_decoded(&b, value);
		else
			buf_put_str(&b, value);
		s->used = true;
		s = number == SECTION_NONE ? NULL : find_section(all, first->name, ++number, false);
		value = s ? s->value : value;
	}
	out->value = buf_str(&b);

	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->items[i].name, out->name))
			all->items[i].used = true;
}

static void parse_params(struct str rest, struct arena *a, struct mime_params *out)
{
	struct sections all = { 0 };
	take_sections(rest, a, &all);
	*out = (struct mime_params){ .truncated = all.truncated };
	if (all.n)
		out->items = ARENA_NEW_ARRAY(a, struct mime_param, all.n);
	for (size_t i = 0; i < all.n; i++)
		if (!all.items[i].used)
			join(&all, &all.items[i], a, &out->items[out->n++]);
}

int mime_content_type_parse(struct str value, struct arena *a, struct mime_content_type *out)
{
	struct str rest = mime_lex_skip_cfws(value);
	struct str type = mime_lex_token(rest), subtype = STR_NONE;
	rest = mime_lex_skip_cfws(str_skip(rest, type.n));
	if (str_starts(rest, STR("/"))) {
		rest = mime_lex_skip_cfws(str_skip(rest, 1));
		subtype = mime_lex_token(rest);
		rest = str_skip(rest, subtype.n);
	}
	if (subtype.n == 0 && str_eq_nocase(type, STR("text")))
		subtype = STR("plain"); /* as old clients meant it */
	if (type.n == 0 || subtype.n == 0)
		return -EINVAL;

	out->type = lowered(type, a);
	out->subtype = lowered(subtype, a);
	parse_params(rest, a, &out->params);
	return 0;
}

int mime_disposition_parse(struct str value, struct arena *a, struct mime_disposition *out)
{
	struct str rest = mime_lex_skip_cfws(value);
	struct str kind = mime_lex_token(rest);
	struct str after = mime_lex_skip_cfws(str_skip(rest, kind.n));
	if (kind.n == 0)
		return -EINVAL;

	/* "filename=x" alone: RFC 2183 2.8 treats what is unknown as attachment. */
	if (str_starts(after, STR("=")))
		kind = STR("attachment");
	else
		rest = after;
	out->kind = lowered(kind, a);
	parse_params(rest, a, &out->params);
	return 0;
}

const struct mime_param *mime_param_find(const struct mime_params *params, struct str name)
{
	for (size_t i = 0; i < params->n; i++)
		if (str_eq(params->items[i].name, name))
			return &params->items[i];
	return NULL;
}

void mime_param_write_extended(struct buf *out, const struct mime_param *p)
{
	static const char digits[] = "0123456789ABCDEF";
	buf_put_str(out, p->charset);
	buf_putc(out, '\'');
	buf_put_str(out, p->language);
	buf_putc(out, '\'');
	for (size_t i = 0; i < p->value.n; i++) {
		unsigned char c = (unsigned char)p->value.p[i];
		/* RFC 2231 7, attribute-char */
		if (ascii_is_alnum(c) || mime_lex_is_in("!#$&+-.^_`{|}~", (char)c)) {
			buf_putc(out, (char)c);
		} else {
			buf_putc(out, '%');
			buf_putc(out, digits[c >> 4]);
			buf_putc(out, digits[c & 15]);
		}
	}
}
