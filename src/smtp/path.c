#include "smtp/path.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "smtp/domain.h"

static int peek(struct str s)
{
	return s.n ? (unsigned char)s.p[0] : -1;
}

static bool take_byte(struct str *s, char c)
{
	if (peek(*s) != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* Does a dot-string hold this byte (atext of RFC 5322 3.2.3, dots, UTF-8)? */
static bool is_atom_byte(int c)
{
	return ascii_is_alnum(c) || c >= 0x80 || (c > 0 && strchr(".!#$%&'*+-/=?^_`{|}~", c));
}

/* qtextSMTP, and what may follow a backslash (RFC 5321 4.1.2): nothing below the space. */
static bool is_quotable(int c)
{
	return c >= ' ' && c != 0x7f;
}

static struct str take_domain(struct str *rest)
{
	size_t n = 0;
	if (peek(*rest) == '[') {
		ssize_t end = str_find_byte(*rest, ']');
		n = end < 0 ? rest->n : (size_t)end + 1;
	} else {
		while (n < rest->n && !strchr("> ,:\t", rest->p[n]))
			n++;
	}
	struct str domain = str_sub(*rest, 0, n);
	*rest = str_skip(*rest, n);
	return domain;
}

static bool is_domain(struct str s)
{
	return peek(s) == '[' ? smtp_domain_is_literal(s) : smtp_domain_is_valid(s);
}

/* RFC 5321 4.1.2: A-d-l = "@" Domain *( "," "@" Domain ) ":" */
static int skip_source_route(struct str *rest)
{
	if (peek(*rest) != '@')
		return 0;
	do {
		if (!take_byte(rest, '@') || !is_domain(take_domain(rest)))
			return -EINVAL;
	} while (take_byte(rest, ','));
	return take_byte(rest, ':') ? 0 : -EINVAL;
}

static int take_quoted_local(struct str *rest, struct buf *local)
{
	while (!take_byte(rest, '"')) {
		bool escaped = take_byte(rest, '\\');
		int c = peek(*rest);
		if (!is_quotable(c) || (escaped && c >= 0x80))
			return -EINVAL;
		buf_putc(local, (char)c);
		*rest = str_skip(*rest, 1);
	}
	return 0;
}

/* Is it a Dot-string, which needs no quotes? */
static bool is_dot_string(struct str s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.' || str_find(s, STR("..")) >= 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_atom_byte((unsigned char)s.p[i]))
			return false;
	return true;
}

static int take_local(struct str *rest, struct buf *local)
{
	if (take_byte(rest, '"')) {
		int r = take_quoted_local(rest, local);
		if (r < 0)
			return r;
	} else {
		size_t n = 0;
		while (n < rest->n && is_atom_byte((unsigned char)rest->p[n]))
			n++;
		if (!is_dot_string(str_sub(*rest, 0, n)))
			return -EINVAL;
		buf_put(local, rest->p, n);
		*rest = str_skip(*rest, n);
	}
	if (buf_failed(local))
		return -EMSGSIZE;
	return local->n && utf8_is_valid(buf_str(local)) ? 0 : -EINVAL;
}

/* RFC 5321 4.1.2: the shortest of the equivalent forms. */
static void write_local(struct buf *b, struct str local)
{
	if (is_dot_string(local)) {
		buf_put_str(b, local);
		return;
	}
	buf_putc(b, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, local.p[i]);
	}
	buf_putc(b, '"');
}

static struct str write_address(struct str local, struct str domain, struct arena *a)
{
	struct buf b;
	buf_init(&b, a, 2 * SMTP_LOCAL_MAX + SMTP_DOMAIN_MAX + 3);
	write_local(&b, local);
	if (domain.n) {
		buf_putc(&b, '@');
		buf_put_str(&b, domain);
	}
	check(!buf_failed(&b));
	return buf_str(&b);
}

static int take_mailbox(struct str *rest, struct arena *a, struct smtp_path *out)
{
	struct buf local;
	buf_init(&local, a, SMTP_LOCAL_MAX);

	int r = skip_source_route(rest);
	if (r < 0)
		return r;
	r = take_local(rest, &local);
	if (r < 0)
		return r;

	struct str domain = STR_NONE;
	if (take_byte(rest, '@')) {
		domain = take_domain(rest);
		if (domain.n > SMTP_DOMAIN_MAX)
			return -EMSGSIZE;
		if (!is_domain(domain))
			return -EINVAL;
		domain = arena_str(a, domain);
	}
	struct str address = write_address(buf_str(&local), domain, a);
	if (address.n > SMTP_PATH_MAX)
		return -EMSGSIZE;
	*out = (struct smtp_path){
		.address = address,
		.local = buf_str(&local),
		.domain = domain,
		.utf8 = !str_is_ascii(address),
	};
	return 0;
}

int smtp_path_parse(struct str *rest, struct arena *a, struct smtp_path *out)
{
	struct str s = *rest;
	struct smtp_path path = { 0 };

	while (ascii_is_wsp(peek(s)))
		s = str_skip(s, 1);
	bool bracket = take_byte(&s, '<');
	bool closed = bracket && take_byte(&s, '>');
	if (!closed) {
		int r = take_mailbox(&s, a, &path);
		if (r < 0)
			return r;
		if (bracket && !take_byte(&s, '>'))
			return -EINVAL;
	}
	if (s.n && s.p[0] != ' ')
		return -EINVAL;
	*rest = s;
	*out = path;
	return 0;
}

void smtp_path_qualify(struct smtp_path *p, struct str domain, struct arena *a)
{
	check(p->local.n && !p->domain.n);
	p->domain = domain;
	p->address = write_address(p->local, domain, a);
}
