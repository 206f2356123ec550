#include "mime/msgid.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mime/lex.h"

/* Offset of the '>' that ends the ID at the front of s, or s.n. */
static size_t id_end(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '>' && s.p[n] != '<')
		n = s.p[n] == '"' ? mime_lex_enclosed(s, n) : n + 1;
	return n;
}

static void put_without_space(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_space((unsigned char)s.p[i]))
			buf_putc(b, s.p[i]);
}

/* False when it is none. */
static bool normalise(struct str raw, struct arena *a, struct str *out)
{
	size_t from = 0;
	struct buf b;

	buf_init(&b, a, raw.n + 1);
	if (raw.n && raw.p[0] == '"') {
		from = mime_lex_enclosed(raw, 0);
		mime_lex_unquote(&b, mime_lex_inside(str_sub(raw, 0, from)));
	}
	put_without_space(&b, str_skip(raw, from));
	struct str id = buf_str(&b);
	ssize_t at = str_find_byte(id, '@');
	if (at <= 0 || (size_t)at + 1 == id.n)
		return false;
	*out = id;
	return true;
}

bool mime_msgid_next(struct str *value, struct arena *a, struct str *out)
{
	ssize_t open;

	while ((open = str_find_byte(*value, '<')) >= 0) {
		struct str rest = str_skip(*value, (size_t)open + 1);
		size_t end = id_end(rest);
		*value = str_skip(rest, end);
		if (end < rest.n && rest.p[end] == '>' &&
		    normalise(str_trim(str_sub(rest, 0, end)), a, out))
			return true;
	}
	*value = STR_NONE;
	return false;
}

uint64_t mime_msgid_hash(struct str id)
{
	uint64_t h = str_hash(id, UINT64_C(0x506f7374686f726e));

	return h ? h : 1;
}
