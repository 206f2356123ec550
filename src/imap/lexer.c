#include "imap/lexer.h"

#include <errno.h>

#include "base/arena.h"

/* Character classes of RFC 3501 section 9. */
#define CLASS_ATOM    1 /* ATOM-CHAR */
#define CLASS_ASTRING 2 /* ASTRING-CHAR */
#define CLASS_LIST    4 /* list-char */
#define CLASS_TAG     8
#define CLASS_TEXT    16 /* may stand in a quoted string as it is */

static unsigned char_classes(int c)
{
	if (c < 0 || c == 0 || c == '\r' || c == '\n')
		return 0;
	unsigned text = c == '"' || c == '\\' ? 0 : CLASS_TEXT;
	if (c < 0x20 || c == 0x7f)
		return text;
	/* Not in the grammar, but clients send mailbox names and passwords in bare UTF-8. */
	if (c >= 0x80)
		return text | CLASS_ASTRING | CLASS_LIST;

	switch (c) {
	case '(':
	case ')':
	case '{':
	case ' ':
	case '"':
	case '\\':
		return text;
	case '%':
	case '*':
		return text | CLASS_LIST;
	case ']':
		return text | CLASS_ASTRING | CLASS_LIST | CLASS_TAG;
	case '+':
		return text | CLASS_ATOM | CLASS_ASTRING | CLASS_LIST;
	default:
		return text | CLASS_ATOM | CLASS_ASTRING | CLASS_LIST | CLASS_TAG;
	}
}

void imap_lexer_init(struct imap_lexer *lx, struct imap_feed *feed, struct arena *a,
		     const struct imap_lexer_limits *limits)
{
	*lx = (struct imap_lexer){ .feed = feed, .arena = a, .limits = *limits };
}

static int next_line(struct imap_lexer *lx)
{
	size_t left = lx->limits.command - lx->used;
	size_t max = left < lx->limits.line ? left : lx->limits.line;
	struct str line = STR_NONE;
	int r = lx->feed->line(lx->feed, lx->arena, max, &line);

	lx->line = r == 0 || r == -EMSGSIZE ? line : STR_NONE;
	lx->pos = 0;
	if (r < 0)
		return r;
	lx->used += line.n;
	return 0;
}

static int too_long(struct imap_lexer *lx)
{
	lx->line = STR_NONE;
	lx->pos = 0;
	return imap_lexer_bad(lx, "Command line too long");
}

int imap_lexer_begin(struct imap_lexer *lx, struct str *tag)
{
	*tag = STR_NONE;
	lx->used = 0;
	lx->bad = NULL;
	int r = next_line(lx);
	if (r != -EMSGSIZE)
		return r;

	/* The client waits for an answer with its tag. */
	struct str began;
	if (imap_lexer_tag(lx, &began) == 0 && imap_lexer_look(lx) == ' ')
		*tag = began;
	return too_long(lx);
}

int imap_lexer_resume(struct imap_lexer *lx)
{
	int r = next_line(lx);
	return r == -EMSGSIZE ? too_long(lx) : r;
}

int imap_lexer_look(const struct imap_lexer *lx)
{
	return lx->pos < lx->line.n ? (unsigned char)lx->line.p[lx->pos] : -1;
}

bool imap_lexer_accept(struct imap_lexer *lx, char c)
{
	if (imap_lexer_look(lx) != (unsigned char)c)
		return false;
	lx->pos++;
	return true;
}

bool imap_lexer_accept_word(struct imap_lexer *lx, const char *word)
{
	struct str rest = str_skip(lx->line, lx->pos);
	struct str w = str_from(word);

	if (!str_starts_nocase(rest, w))
		return false;
	if (rest.n > w.n && (char_classes((unsigned char)rest.p[w.n]) & CLASS_ATOM))
		return false;
	lx->pos += w.n;
	return true;
}

int imap_lexer_expect(struct imap_lexer *lx, char c)
{
	if (imap_lexer_accept(lx, c))
		return 0;
	switch (c) {
	case '(':
		return imap_lexer_bad(lx, "Expected a list in parentheses");
	case ')':
		return imap_lexer_bad(lx, "Expected a closing parenthesis");
	case ']':
		return imap_lexer_bad(lx, "Expected a closing bracket");
	default:
		return imap_lexer_bad(lx, "Unexpected character");
	}
}

int imap_lexer_space(struct imap_lexer *lx)
{
	if (!imap_lexer_accept(lx, ' '))
		return imap_lexer_bad(lx, imap_lexer_look(lx) < 0 ? "Missing argument"
								  : "Expected a space");
	return 0;
}

int imap_lexer_end(struct imap_lexer *lx)
{
	/* Some clients leave a space behind the last argument. */
	while (imap_lexer_accept(lx, ' '))
		;
	if (imap_lexer_look(lx) >= 0)
		return imap_lexer_bad(lx, "Unexpected text behind the command");
	return 0;
}

static struct str take_class(struct imap_lexer *lx, unsigned class)
{
	size_t from = lx->pos;

	while (lx->pos < lx->line.n && (char_classes((unsigned char)lx->line.p[lx->pos]) & class))
		lx->pos++;
	return str_sub(lx->line, from, lx->pos - from);
}

int imap_lexer_tag(struct imap_lexer *lx, struct str *out)
{
	struct str s = take_class(lx, CLASS_TAG);

	if (s.n == 0)
		return imap_lexer_bad(lx, "Missing or invalid tag");
	*out = s;
	return 0;
}

int imap_lexer_atom(struct imap_lexer *lx, struct str *out)
{
	struct str s = take_class(lx, CLASS_ATOM);

	if (s.n == 0)
		return imap_lexer_bad(lx, "Expected a word");
	*out = s;
	return 0;
}

int imap_lexer_number(struct imap_lexer *lx, uint32_t *out)
{
	size_t from = lx->pos;
	uint64_t v;

	while (ascii_is_digit(imap_lexer_look(lx)))
		lx->pos++;
	struct str s = str_sub(lx->line, from, lx->pos - from);
	if (s.n == 0)
		return imap_lexer_bad(lx, "Expected a number");
	if (str_to_u64(s, UINT32_MAX, &v) < 0)
		return imap_lexer_bad(lx, "Number too large");
	*out = (uint32_t)v;
	return 0;
}

int imap_lexer_flag(struct imap_lexer *lx, struct str *out)
{
	size_t from = lx->pos;
	bool system = imap_lexer_accept(lx, '\\');
	struct str name = take_class(lx, CLASS_ATOM);

	if (system && name.n == 0 && imap_lexer_accept(lx, '*'))
		return imap_lexer_bad(lx, "\\* is not a flag that can be set");
	if (name.n == 0)
		return imap_lexer_bad(lx, "Expected a flag");
	*out = str_sub(lx->line, from, lx->pos - from);
	return 0;
}

int imap_lexer_sequence(struct imap_lexer *lx, struct str *out)
{
	size_t from = lx->pos;

	for (int c = imap_lexer_look(lx);
	     ascii_is_digit(c) || c == ':' || c == ',' || c == '*' || c == '$';
	     c = imap_lexer_look(lx))
		lx->pos++;
	if (lx->pos == from)
		return imap_lexer_bad(lx, "Expected a sequence set");
	*out = str_sub(lx->line, from, lx->pos - from);
	return 0;
}

/* RFC 3501 section 9, quoted. The copy is made only when there is something to unescape. */
static int quoted(struct imap_lexer *lx, struct str *out)
{
	size_t from = ++lx->pos;
	size_t escapes = 0;

	for (;;) {
		int c = imap_lexer_look(lx);
		if (c < 0)
			return imap_lexer_bad(lx, "Missing closing quote");
		if (c == '"')
			break;
		if (c == '\\') {
			escapes++;
			lx->pos++;
			c = imap_lexer_look(lx);
			if (c != '"' && c != '\\')
				return imap_lexer_bad(lx, "Invalid escape in a quoted string");
		} else if (!(char_classes(c) & CLASS_TEXT)) {
			return imap_lexer_bad(lx, "Invalid character in a quoted string");
		}
		lx->pos++;
	}
	struct str raw = str_sub(lx->line, from, lx->pos - from);
	lx->pos++;
	if (escapes == 0) {
		*out = raw;
		return 0;
	}

	char *p = arena_alloc(lx->arena, raw.n - escapes);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		p[n++] = raw.p[i];
	}
	*out = str_of(p, n);
	return 0;
}

/* Does the text end in the announcement of a literal? *start is where that begins. */
static bool literal_at_end(struct str s, struct imap_literal *out, size_t *start)
{
	if (!str_ends(s, STR("}")))
		return false;
	ssize_t open = str_rfind_byte(s, '{');
	if (open < 0)
		return false;
	struct str digits = str_sub(s, (size_t)open + 1, s.n - (size_t)open - 2);
	bool sync = true;
	if (str_ends(digits, STR("+"))) {
		sync = false;
		digits.n--;
	}
	uint64_t size;
	int r = str_to_u64(digits, UINT64_MAX / 2, &size);
	if (r == -ERANGE)
		size = UINT64_MAX / 2;
	else if (r < 0)
		return false;
	*out = (struct imap_literal){ .size = size, .sync = sync };
	*start = (size_t)open;
	return true;
}

int imap_lexer_literal(struct imap_lexer *lx, struct imap_literal *out)
{
	struct imap_literal lit;
	size_t start;

	if (imap_lexer_look(lx) != '{')
		return imap_lexer_bad(lx, "Expected a literal");
	if (!literal_at_end(lx->line, &lit, &start) || start != lx->pos)
		return imap_lexer_bad(lx, "Invalid literal");
	lx->pos = lx->line.n;
	*out = lit;
	return 0;
}

int imap_lexer_literal8(struct imap_lexer *lx, struct imap_literal *out)
{
	size_t announced = lx->pos;
	bool binary = imap_lexer_accept(lx, '~');

	int r = imap_lexer_literal(lx, out);
	if (r < 0)
		lx->pos = announced;
	else
		out->binary = binary;
	return r;
}

static int literal(struct imap_lexer *lx, struct str *out)
{
	size_t announced = lx->pos;
	struct imap_literal lit;
	int r = imap_lexer_literal(lx, &lit);
	if (r < 0)
		return r;

	if (lit.size > lx->limits.literal || lit.size > lx->limits.command - lx->used) {
		lx->pos = announced;
		return imap_lexer_bad(lx, "Literal too large");
	}
	if (lit.sync && (r = lx->feed->ask(lx->feed)) < 0)
		return r;
	lx->used += lit.size;
	struct str s;
	r = lx->feed->literal(lx->feed, lx->arena, lit.size, &s);
	if (r < 0)
		return r;
	r = imap_lexer_resume(lx);
	if (r < 0)
		return r;
	if (str_find_byte(s, '\0') >= 0)
		return imap_lexer_bad(lx, "NUL in a literal");
	*out = s;
	return 0;
}

int imap_lexer_string(struct imap_lexer *lx, struct str *out)
{
	switch (imap_lexer_look(lx)) {
	case '"':
		return quoted(lx, out);
	case '{':
		return literal(lx, out);
	default:
		return imap_lexer_bad(lx, "Expected a string");
	}
}

int imap_lexer_nstring(struct imap_lexer *lx, struct str *out)
{
	if (imap_lexer_accept_word(lx, "NIL")) {
		*out = STR_NONE;
		return 0;
	}
	return imap_lexer_string(lx, out);
}

static int string_or_class(struct imap_lexer *lx, unsigned class, struct str *out)
{
	int c = imap_lexer_look(lx);
	if (c == '"' || c == '{')
		return imap_lexer_string(lx, out);

	struct str s = take_class(lx, class);
	if (s.n == 0)
		return imap_lexer_bad(lx, c < 0 ? "Missing argument" : "Expected a string");
	*out = s;
	return 0;
}

int imap_lexer_astring(struct imap_lexer *lx, struct str *out)
{
	return string_or_class(lx, CLASS_ASTRING, out);
}

int imap_lexer_list_mailbox(struct imap_lexer *lx, struct str *out)
{
	return string_or_class(lx, CLASS_LIST, out);
}

int imap_lexer_skip_rest(struct imap_lexer *lx)
{
	uint64_t skipped = 0;
	struct imap_literal lit;
	size_t start;

	/* A synchronising literal was never asked for, so the command ends before it. What stands
	 * before `pos` has been dealt with. */
	while (literal_at_end(lx->line, &lit, &start) && start >= lx->pos && !lit.sync) {
		if (lit.size > lx->limits.skip - skipped)
			return -EFBIG;
		skipped += lit.size;
		int r = lx->feed->literal(lx->feed, lx->arena, lit.size, NULL);
		if (r < 0)
			return r;
		r = next_line(lx);
		if (r == -EMSGSIZE)
			break;
		if (r < 0)
			return r;
	}
	lx->line = STR_NONE;
	lx->pos = 0;
	return 0;
}
