#include "mime/address.h"

#include <errno.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "mime/lex.h"

/* A list is taken apart in two steps, each linear: find where the next element ends and what
 * ended it, then read its words according to what it turned out to be. */

struct addr_parser {
	struct str rest;
	struct arena *arena;
	struct mime_addr_list *list;
	size_t cap;
	size_t max;
	bool in_group;
};

/* What is collected from the words of a phrase or an addr-spec. */
struct words {
	struct buf text;
	struct str comment; /* the last one, inside its parentheses */
	bool in_spec;	    /* white space separates nothing */
	bool space;	    /* white space is due before the next word */
};

static void words_space(struct words *w)
{
	if (w->space && w->text.n && !w->in_spec)
		buf_putc(&w->text, ' ');
	w->space = false;
}

/* Add the words of `s` to w->text. */
static void put_words(struct words *w, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		char c = s.p[i];
		size_t end = c == '"' || c == '(' ? mime_lex_enclosed(s, i) : i + 1;
		struct str piece = str_sub(s, i, end - i);
		if (c == '(')
			w->comment = mime_lex_inside(piece);
		if (c == '(' || ascii_is_space((unsigned char)c)) {
			w->space = true;
		} else {
			words_space(w);
			mime_lex_unquote(&w->text, c == '"' ? mime_lex_inside(piece) : piece);
		}
		i = end;
	}
}

/* The text of `s` as a phrase (in_spec: without any white space); comments are left in *comment. */
static struct str words_of(struct str s, bool in_spec, struct arena *a, struct str *comment)
{
	struct words w = { .in_spec = in_spec };
	buf_init(&w.text, a, s.n); /* it only gets shorter */
	put_words(&w, s);
	if (w.comment.p && comment)
		*comment = w.comment;
	return buf_str(&w.text);
}

static struct str comment_text(struct str comment, struct arena *a)
{
	struct buf text;
	buf_init(&text, a, comment.n);
	mime_lex_unquote(&text, str_trim(comment));
	return buf_str(&text);
}

static struct mime_addr *list_add(struct addr_parser *p, enum mime_addr_kind kind)
{
	struct mime_addr_list *l = p->list;
	if (l->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 4;
		struct mime_addr *items = ARENA_NEW_ARRAY(p->arena, struct mime_addr, cap);
		if (l->n)
			memcpy(items, l->items, l->n * sizeof(*items));
		l->items = items;
		p->cap = cap;
	}
	struct mime_addr *m = &l->items[l->n++];
	m->kind = kind;
	return m;
}

/* Room for one more item and, in a group, for its end? */
static bool has_room(struct addr_parser *p, size_t items)
{
	size_t reserved = p->in_group ? 1 : 0;
	if (p->list->n + items + reserved <= p->max)
		return true;
	p->list->truncated = true;
	p->rest = str_skip(p->rest, p->rest.n);
	return false;
}

static void group_end(struct addr_parser *p)
{
	if (p->in_group)
		list_add(p, MIME_ADDR_GROUP_END);
	p->in_group = false;
}

/* An addr-spec into m->local and m->domain. The last '@' separates: unquoted ones in a local
 * part are a common mistake, in a domain they are never right. Without any, all of it is the
 * local part, words kept apart. */
static void put_addr_spec(struct addr_parser *p, struct str spec, struct mime_addr *m,
			  struct str *comment)
{
	size_t at = mime_lex_find(spec, "@");
	for (size_t next = at; next < spec.n;) {
		at = next;
		next += 1 + mime_lex_find(str_skip(spec, next + 1), "@");
	}
	m->local = words_of(str_sub(spec, 0, at), at < spec.n, p->arena, comment);
	m->domain = words_of(str_skip(spec, at + 1), true, p->arena, comment);
}

/* The inside of <...>: a route and an addr-spec. */
static void put_angle_addr(struct addr_parser *p, struct str inside, struct mime_addr *m,
			   struct str *comment)
{
	struct str trimmed = str_trim(inside);
	if (str_starts(trimmed, STR("@"))) {
		size_t colon = mime_lex_find(trimmed, ":");
		if (colon < trimmed.n) {
			m->route = words_of(str_sub(trimmed, 0, colon), true, p->arena, comment);
			trimmed = str_skip(trimmed, colon + 1);
		}
	}
	put_addr_spec(p, trimmed, m, comment);
}

/* Offset where the address behind a '<' ends: at its '>', else where the next element must
 * begin. */
static size_t angle_end(struct str s)
{
	size_t start = 0;
	while (start < s.n && ascii_is_space((unsigned char)s.p[start]))
		start++;
	/* A route has commas up to its colon. No further than the next '<', lest a run of them be
	 * searched again and again. */
	if (start < s.n && s.p[start] == '@') {
		size_t colon = start + mime_lex_find(str_skip(s, start), ":>;<");
		if (colon < s.n && s.p[colon] == ':')
			start = colon + 1;
	}
	return start + mime_lex_find(str_skip(s, start), ">,;<");
}

/* "phrase <addr>": rest stands behind the '<'. What follows the '>' up to the next separator
 * belongs to no address, but a comment there may be the name; and it is the next phrase when the
 * comma is missing. */
static void parse_angle(struct addr_parser *p, struct str phrase)
{
	while (str_starts(p->rest, STR("<")))
		p->rest = str_skip(p->rest, 1);

	size_t end = angle_end(p->rest);
	struct str inside = str_sub(p->rest, 0, end);
	p->rest = str_skip(p->rest, end);
	if (str_starts(p->rest, STR(">")))
		p->rest = str_skip(p->rest, 1);
	size_t tail = mime_lex_find(p->rest, ",;<");
	struct str after = str_sub(p->rest, 0, tail);
	if (tail == p->rest.n || p->rest.p[tail] != '<')
		p->rest = str_skip(p->rest, tail);
	if (!has_room(p, 1))
		return;

	struct str comment = STR_NONE;
	struct mime_addr *m = list_add(p, MIME_ADDR_MAILBOX);
	m->name = words_of(phrase, false, p->arena, &comment);
	put_angle_addr(p, inside, m, &comment);
	(void)words_of(after, false, p->arena, &comment);
	if (m->name.n == 0)
		m->name = comment_text(comment, p->arena);
}

/* "addr (comment)", or words that are no address at all. */
static void parse_bare(struct addr_parser *p, struct str text)
{
	struct str comment = STR_NONE;
	struct mime_addr m = { .kind = MIME_ADDR_MAILBOX };
	put_addr_spec(p, text, &m, &comment);
	if (m.local.n == 0 && m.domain.n == 0)
		return;
	if (!has_room(p, 1))
		return;
	m.name = comment_text(comment, p->arena);
	*list_add(p, MIME_ADDR_MAILBOX) = m;
}

static void parse_group(struct addr_parser *p, struct str phrase)
{
	if (!has_room(p, 2))
		return;
	struct mime_addr *m = list_add(p, MIME_ADDR_GROUP_START);
	m->name = words_of(phrase, false, p->arena, NULL);
	p->in_group = true;
}

static void parse_element(struct addr_parser *p)
{
	/* Groups do not nest, and a colon behind an '@' is a mistyped address. */
	size_t end = mime_lex_find(p->rest, p->in_group ? ",;<" : ",;<:@");
	if (end < p->rest.n && p->rest.p[end] == '@')
		end += mime_lex_find(str_skip(p->rest, end), ",;<");

	struct str text = str_sub(p->rest, 0, end);
	char stop = end < p->rest.n ? p->rest.p[end] : ',';
	p->rest = str_skip(p->rest, end + 1);
	if (stop == '<') {
		parse_angle(p, text);
	} else if (stop == ':') {
		parse_group(p, text);
	} else {
		parse_bare(p, text);
		if (stop == ';')
			group_end(p);
	}
}

void mime_addr_list_parse(struct str value, struct mime_addr_limits limits, struct arena *a,
			  struct mime_addr_list *out)
{
	*out = (struct mime_addr_list){ .truncated = value.n > limits.bytes };
	struct addr_parser p = {
		.rest = str_sub(value, 0, limits.bytes),
		.arena = a,
		.list = out,
		.max = limits.items,
	};
	while (p.rest.n)
		parse_element(&p);
	group_end(&p);
}

/* RFC 5322 3.2.3 atext, with the UTF-8 of RFC 6532 (validated as a whole by the caller). */
static bool is_atext(char c)
{
	return ascii_is_alnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	       mime_lex_is_in("!#$%&'*+-/=?^_`{|}~", c);
}

static bool is_dot_atom(struct str s)
{
	bool after_dot = true; /* no dot first, last or twice */
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = s.p[i] == '.';
	}
	return !after_dot;
}

/* "[...]" of RFC 5322 dtext. */
static bool is_domain_literal(struct str s)
{
	if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	for (size_t i = 1; i < s.n - 1; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || mime_lex_is_in("[]\\", s.p[i]))
			return false;
	return true;
}

/* The quoted-string at the front: its size and contents. 0 when it is not well formed. */
static size_t parse_quoted_local(struct str s, struct arena *a, struct str *out)
{
	char *p = arena_alloc(a, s.n);
	size_t n = 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"') {
			*out = str_of(p, n);
			return i + 1;
		}
		if (s.p[i] == '\\')
			i++;
		if (i == s.n || (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return 0;
		p[n++] = s.p[i];
	}
	return 0;
}

int mime_addr_spec_parse(struct str text, struct arena *a, struct mime_addr_spec *out)
{
	if (text.n > 2 * MIME_ADDR_LOCAL_MAX + MIME_ADDR_DOMAIN_MAX || !utf8_is_valid(text))
		return -EINVAL;

	struct mime_addr_spec spec;
	size_t n;
	if (str_starts(text, STR("\""))) {
		n = parse_quoted_local(text, a, &spec.local);
	} else {
		n = mime_lex_find(text, "@");
		spec.local = str_sub(text, 0, n);
		if (!is_dot_atom(spec.local))
			return -EINVAL;
	}
	if (n == 0 || n >= text.n || text.p[n] != '@' || spec.local.n > MIME_ADDR_LOCAL_MAX)
		return -EINVAL;

	spec.domain = str_skip(text, n + 1);
	if (spec.domain.n > MIME_ADDR_DOMAIN_MAX ||
	    (!is_dot_atom(spec.domain) && !is_domain_literal(spec.domain)))
		return -EINVAL;
	*out = spec;
	return 0;
}

static void put_quoted_string(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(out, '\\');
		/* A line end would begin a new field. */
		buf_putc(out, mime_lex_is_in("\r\n", s.p[i]) || s.p[i] == '\0' ? ' ' : s.p[i]);
	}
	buf_putc(out, '"');
}

void mime_addr_local_write(struct buf *out, struct str local)
{
	if (is_dot_atom(local))
		buf_put_str(out, local);
	else
		put_quoted_string(out, local);
}

void mime_addr_name_write(struct buf *out, struct str name)
{
	bool plain = name.n > 0;
	for (size_t i = 0; i < name.n; i++)
		plain = plain && (is_atext(name.p[i]) || (name.p[i] == ' ' && i && i + 1 < name.n));
	if (plain)
		buf_put_str(out, name);
	else
		put_quoted_string(out, name);
}
