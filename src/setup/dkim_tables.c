#include "setup/dkim_tables.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "filter/signing.h"
#include "setup/setup_file.h"

#define ENTRIES_MAX 32 /* of one domain in dkim_signing.conf */
#define DAY_S	    86400

/* "*@example.org", "x@example.org", "example.org" or ".example.org". */
static bool is_about(struct str pattern, struct str domain)
{
	ssize_t at = str_rfind_byte(pattern, '@');

	if (at >= 0)
		pattern = str_skip(pattern, (size_t)at + 1);
	else if (str_starts(pattern, STR(".")))
		pattern = str_skip(pattern, 1);
	return str_eq_nocase(pattern, domain);
}

size_t dkim_table_replace(struct str text, struct str domain, struct str from, struct str to,
			  struct buf *out)
{
	struct setup_line line;
	size_t n = 0;

	while (setup_line_next(&text, &line)) {
		struct str rest = line.text, pattern, name;
		if (!line.counts || !str_next_word(&rest, &pattern) ||
		    !str_next_word(&rest, &name) || !str_eq_nocase(name, from) ||
		    !is_about(pattern, domain)) {
			buf_put_str(out, line.raw);
			continue;
		}
		size_t before = (size_t)(name.p - line.raw.p);
		buf_put_str(out, str_sub(line.raw, 0, before));
		buf_put_str(out, to);
		buf_put_str(out, str_skip(line.raw, before + name.n));
		n++;
	}
	return n;
}

/* What is replaced in a text, in the order in which it stands there. */
struct changes {
	struct str domain;
	const struct dkim_conf_key *from, *to;
	struct {
		struct str what, with;
	} v[2 * ENTRIES_MAX];
	size_t n;
};

static void add_change(struct changes *c, struct str what, struct str with)
{
	size_t i = c->n++;

	for (; i > 0 && c->v[i - 1].what.p > what.p; i--)
		c->v[i] = c->v[i - 1];
	c->v[i].what = what;
	c->v[i].with = with;
}

static void note_entry(void *ctx, const struct signing_rspamd_entry *e)
{
	struct changes *c = ctx;

	if (!str_eq_nocase(e->domain, c->domain) || !str_eq(e->path, c->from->path) ||
	    !str_eq(e->selector, c->from->selector) || c->n + 2 > ARRAY_LEN(c->v))
		return;
	add_change(c, e->path, c->to->path);
	add_change(c, e->selector, c->to->selector);
}

size_t dkim_conf_replace(struct str text, struct str domain, const struct dkim_conf_key *from,
			 const struct dkim_conf_key *to, struct buf *out)
{
	struct changes c = { .domain = domain, .from = from, .to = to };
	size_t at = 0;

	if (!signing_rspamd_each(text, note_entry, &c))
		return 0;
	for (size_t i = 0; i < c.n; i++) {
		size_t start = (size_t)(c.v[i].what.p - text.p);
		buf_put_str(out, str_sub(text, at, start - at));
		buf_put_str(out, c.v[i].with);
		at = start + c.v[i].what.n;
	}
	buf_put_str(out, str_skip(text, at));
	return c.n / 2;
}

static bool parse(struct str line, struct dkim_rotation *out)
{
	struct str w[7];

	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		if (!str_next_word(&line, &w[i]))
			return false;
	*out = (struct dkim_rotation){ .domain = w[0],
				       .type = w[1],
				       .signing = str_eq(w[2], STR("signing")),
				       .selector = w[3],
				       .old = w[4],
				       .date = w[5],
				       .path = w[6] };
	return true;
}

static bool is_of(const struct setup_line *line, struct str domain, struct str type,
		  struct dkim_rotation *out)
{
	return line->counts && parse(line->text, out) && str_eq_nocase(out->domain, domain) &&
	       str_eq(out->type, type);
}

bool dkim_rotation_find(struct str text, struct str domain, struct str type,
			struct dkim_rotation *out)
{
	struct setup_line line;
	struct dkim_rotation r;

	while (setup_line_next(&text, &line)) {
		if (!is_of(&line, domain, type, &r))
			continue;
		*out = r;
		return true;
	}
	return false;
}

void dkim_rotation_put(struct str text, const struct dkim_rotation *r, struct buf *out)
{
	auto_buf struct buf b;
	struct setup_line line;
	struct dkim_rotation other;

	while (setup_line_next(&text, &line))
		if (!is_of(&line, r->domain, r->type, &other))
			buf_put_str(out, line.raw);
	buf_init(&b, NULL, 4096);
	buf_printf(&b,
		   "%" STR_FMT " %" STR_FMT " %s %" STR_FMT " %" STR_FMT " %" STR_FMT " %" STR_FMT,
		   STR_ARG(r->domain), STR_ARG(r->type), r->signing ? "signing" : "waiting",
		   STR_ARG(r->selector), STR_ARG(r->old), STR_ARG(r->date), STR_ARG(r->path));
	setup_append_line(out, buf_str(&b));
}

static bool parse_date(struct str s, time_t *out)
{
	char text[16];
	struct tm tm = { 0 };

	snprintf(text, sizeof(text), "%" STR_FMT, STR_ARG(s));
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || *end)
		return false;
	*out = timegm(&tm);
	return true;
}

size_t dkim_rotation_days(struct str from, struct str to)
{
	time_t a, b;

	if (!parse_date(from, &a) || !parse_date(to, &b) || b < a)
		return SIZE_MAX;
	return (size_t)((b - a) / DAY_S);
}
