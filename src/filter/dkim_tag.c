#include "filter/dkim_tag.h"

#include <errno.h>

static bool is_name(struct str s)
{
	if (!s.n || !ascii_is_alpha((unsigned char)s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!ascii_is_alnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return true;
}

/* VALCHAR, folding white space, and UTF-8 (RFC 8616). */
static bool is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (!ascii_is_space(c) && (c < 0x21 || c == 0x7f))
			return false;
	}
	return true;
}

int dkim_tags_parse(struct str text, struct dkim_tags *out)
{
	struct str rest = text;

	out->n = 0;
	while (str_trim(rest).n) {
		struct str spec, name, raw;
		str_cut(rest, ';', &spec, &rest);
		if (!str_cut(spec, '=', &name, &raw))
			return -EINVAL;
		struct dkim_tag t = { str_trim(name), str_trim(raw), raw };
		if (!is_name(t.name) || !is_value(t.value) || dkim_tags_find(out, t.name))
			return -EINVAL;
		if (out->n == DKIM_TAGS_MAX)
			return -E2BIG;
		out->v[out->n++] = t;
	}
	return out->n ? 0 : -EINVAL;
}

const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, struct str name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].name, name))
			return &tags->v[i];
	return NULL;
}

struct str dkim_tags_value(const struct dkim_tags *tags, struct str name)
{
	const struct dkim_tag *t = dkim_tags_find(tags, name);

	return t ? t->value : STR_NONE;
}

void dkim_tag_compact(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (!ascii_is_space((unsigned char)value.p[i]))
			buf_putc(out, value.p[i]);
}

bool dkim_tag_next(struct str *rest, char sep, struct str *word)
{
	if (!rest->p)
		return false;
	if (!str_cut(*rest, sep, word, rest))
		*rest = STR_NONE;
	*word = str_trim(*word);
	return true;
}

bool dkim_tag_has(struct str list, char sep, struct str word)
{
	struct str w;

	while (dkim_tag_next(&list, sep, &w))
		if (str_eq(w, word))
			return true;
	return false;
}
