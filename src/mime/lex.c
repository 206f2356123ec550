#include "mime/lex.h"

#include <string.h>

bool mime_lex_is_in(const char *set, char c)
{
	return c != '\0' && strchr(set, c);
}

static char closing_of(char open)
{
	return open == '(' ? ')' : '"';
}

static bool is_enclosure(char c)
{
	return c == '"' || c == '(';
}

size_t mime_lex_enclosed(struct str s, size_t at)
{
	char open = s.p[at], close = closing_of(open);
	size_t depth = 1;
	for (size_t i = at + 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == close && --depth == 0)
			return i + 1;
		else if (s.p[i] == '(' && open == '(')
			depth++;
	}
	return s.n;
}

struct str mime_lex_inside(struct str enclosed)
{
	size_t n = enclosed.n - 1;
	if (n && enclosed.p[n] == closing_of(enclosed.p[0]))
		n--;
	return str_sub(enclosed, 1, n);
}

struct str mime_lex_skip_cfws(struct str s)
{
	while (s.n && (ascii_is_space((unsigned char)s.p[0]) || s.p[0] == '('))
		s = str_skip(s, s.p[0] == '(' ? mime_lex_enclosed(s, 0) : 1);
	return s;
}

size_t mime_lex_find(struct str s, const char *stops)
{
	size_t i = 0;
	while (i < s.n && !mime_lex_is_in(stops, s.p[i]))
		i = is_enclosure(s.p[i]) ? mime_lex_enclosed(s, i) : i + 1;
	return i;
}

void mime_lex_unquote(struct buf *out, struct str inside)
{
	for (size_t i = 0; i < inside.n; i++) {
		if (inside.p[i] == '\\' && i + 1 < inside.n)
			i++;
		unsigned char c = (unsigned char)inside.p[i];
		if (c == '\t')
			buf_putc(out, ' ');
		else if (c >= ' ' && c != 0x7f)
			buf_putc(out, (char)c);
	}
}

struct str mime_lex_token(struct str s)
{
	size_t n = 0;
	while (n < s.n && (unsigned char)s.p[n] > ' ' && s.p[n] != 0x7f &&
	       !mime_lex_is_in("()<>@,;:\\\"/[]?=", s.p[n]))
		n++;
	return str_sub(s, 0, n);
}
