#include "auth/address.h"

#include "base/arena.h"

struct address address_split(struct str s)
{
	ssize_t at = str_rfind_byte(s, '@');
	if (at < 0)
		return (struct address){ .whole = s, .local = s, .domain = str_sub(s, s.n, 0) };
	return (struct address){
		.whole = s,
		.local = str_sub(s, 0, (size_t)at),
		.domain = str_skip(s, (size_t)at + 1),
	};
}

struct str address_fold(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);
	str_lower_bytes(p, s.n);
	return str_of(p, s.n);
}

bool address_split_extension(struct str local, char delimiter, struct str *base,
			     struct str *extension)
{
	ssize_t at = delimiter ? str_find_byte(local, delimiter) : -1;
	if (at <= 0 || str_eq_nocase(local, STR("mailer-daemon")))
		return false;
	*base = str_sub(local, 0, (size_t)at);
	*extension = str_skip(local, (size_t)at);
	return true;
}

/* RFC 5322 3.2.3: atext; bytes of UTF-8 count as such (RFC 6531). */
static bool is_atext(char c)
{
	return ascii_is_alnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	       str_find_byte(STR("!#$%&'*+-/=?^_`{|}~"), c) >= 0;
}

static bool is_dot_atom(struct str s)
{
	bool after_dot = true;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = s.p[i] == '.';
	}
	return !after_dot;
}

struct str address_unquote(struct arena *a, struct str s)
{
	struct address addr = address_split(s);
	if (addr.local.n < 2 || addr.local.p[0] != '"' || addr.local.p[addr.local.n - 1] != '"')
		return s;

	struct str inside = str_sub(addr.local, 1, addr.local.n - 2);
	if (!is_dot_atom(inside))
		return s;
	if (addr.domain.n == 0)
		return inside;
	return arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(inside), STR_ARG(addr.domain));
}

static bool is_directory_name(struct str s)
{
	if (s.n == 0 || s.n > 255 || str_eq(s, STR(".")) || str_eq(s, STR("..")))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' || s.p[i] == 0x7f)
			return false;
	return true;
}

bool address_is_mailbox_name(struct str s)
{
	struct address addr = address_split(s);
	return is_directory_name(addr.local) && is_directory_name(addr.domain) &&
	       str_find_byte(addr.local, '@') < 0;
}
