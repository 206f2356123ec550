/* rspamd/override.d/dkim_signing.conf, as far as it says which key is for which domain:
 *
 *	domain {
 *		example.org { path = "..."; selector = "mail"; }
 *		example.net { selectors [ { path = "..."; selector = "a"; }, { ... } ] }
 *	}
 *
 * Everything else in it is read over. UCL is a large language; this is the part that its manual
 * shows for this file, with comments, quotes, and ':' or '=' or nothing between a key and its
 * value. */
#include "filter/signing.h"

#define BASE	  "rspamd/dkim"
#define DEPTH_MAX 8

struct lexer {
	struct str rest;
	unsigned *line;
};

static void skip(struct lexer *l, size_t n)
{
	for (size_t i = 0; i < n && i < l->rest.n; i++)
		*l->line += l->rest.p[i] == '\n';
	l->rest = str_skip(l->rest, n);
}

static size_t until(struct str s, const char *end)
{
	ssize_t at = str_find(s, str_from(end));

	return at < 0 ? s.n : (size_t)at + strlen(end);
}

static void skip_blanks(struct lexer *l)
{
	while (l->rest.n) {
		if (l->rest.p[0] == '#')
			skip(l, until(l->rest, "\n"));
		else if (str_starts(l->rest, STR("/*")))
			skip(l, until(l->rest, "*/"));
		else if (ascii_is_space((unsigned char)l->rest.p[0]))
			skip(l, 1);
		else
			break;
	}
}

static bool is_mark(char c)
{
	return c != '\0' && strchr("{}[];,=", c);
}

/* A mark, or a word with or without quotes. False at the end. */
static bool next(struct lexer *l, char *mark, struct str *word)
{
	skip_blanks(l);
	if (!l->rest.n)
		return false;
	char c = l->rest.p[0];
	*mark = 0;
	if (is_mark(c)) {
		*mark = c;
		skip(l, 1);
		return true;
	}
	if (c == '"' || c == '\'') {
		size_t n = until(str_skip(l->rest, 1), (char[]){ c, '\0' });
		*word = str_sub(l->rest, 1, n ? n - 1 : 0);
		skip(l, n + 1);
		return true;
	}
	size_t n = 0;
	while (n < l->rest.n && !is_mark(l->rest.p[n]) &&
	       !ascii_is_space((unsigned char)l->rest.p[n]))
		n++;
	*word = str_sub(l->rest, 0, n);
	skip(l, n);
	if (word->n > 1 && word->p[word->n - 1] == ':')
		word->n--;
	return true;
}

struct reader {
	signing_rspamd_fn *each;
	void *ctx;
	struct str names[DEPTH_MAX]; /* of the objects around */
	char marks[DEPTH_MAX];
	size_t depth;
	struct str path, selector; /* of the object that is being read */
};

/* An object with a path and a selector has ended. */
static void take(struct reader *r)
{
	if (!r->path.n || !r->selector.n)
		return;
	if (r->depth >= 2 && str_eq(r->names[0], STR("domain")))
		r->each(r->ctx,
			&(struct signing_rspamd_entry){ r->names[1], r->path, r->selector });
	r->path = r->selector = STR_NONE;
}

/* Returns false when the nesting is not what it should be. */
static bool enter(struct reader *r, char mark, struct str name)
{
	if (r->depth == DEPTH_MAX)
		return false;
	r->path = r->selector = STR_NONE;
	r->names[r->depth] = name;
	r->marks[r->depth++] = mark;
	return true;
}

static bool leave(struct reader *r, char mark)
{
	take(r);
	return r->depth && r->marks[--r->depth] == (mark == '}' ? '{' : '[');
}

static void assign(struct reader *r, struct str name, struct str value)
{
	if (str_eq(name, STR("path")))
		r->path = value;
	else if (str_eq(name, STR("selector")))
		r->selector = value;
}

static bool read_entries(struct str text, unsigned *line, signing_rspamd_fn *each, void *ctx)
{
	struct lexer l = { text, line };
	struct reader r = { .each = each, .ctx = ctx };
	struct str word, name = STR_NONE;
	bool fine = true;
	char mark;

	*line = 1;
	while (fine && next(&l, &mark, &word)) {
		if (mark == '{' || mark == '[') {
			fine = enter(&r, mark, name);
			name = STR_NONE;
		} else if (mark == '}' || mark == ']') {
			fine = leave(&r, mark);
			name = STR_NONE;
		} else if (mark == ';' || mark == ',') {
			name = STR_NONE;
		} else if (!mark && name.n) {
			assign(&r, name, word);
			name = STR_NONE;
		} else if (!mark) {
			name = word;
		}
	}
	return fine && !r.depth;
}

bool signing_rspamd_each(struct str text, signing_rspamd_fn *each, void *ctx)
{
	unsigned line;

	return read_entries(text, &line, each, ctx);
}

static void add_entry(void *ctx, const struct signing_rspamd_entry *e)
{
	struct signing_build *b = ctx;
	struct signing_key *key = signing_add_key(b, e->path, BASE);

	if (!key)
		return;
	key->domain = e->domain;
	key->selector = e->selector;
	signing_add_rule(b, e->domain, true, key);
}

void signing_load_rspamd(struct signing_build *b)
{
	struct str text = signing_read(b, SIGNING_RSPAMD);

	if (!read_entries(text, &b->line, add_entry, b))
		signing_problem(b, "brackets do not match");
}
