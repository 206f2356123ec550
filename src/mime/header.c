#include "mime/header.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

static bool is_name_byte(char c)
{
	/* RFC 5322 2.2: printable ASCII except colon. */
	return c > ' ' && c <= '~' && c != ':';
}

/* Bytes of the first line with its end. */
static size_t line_size(struct str s)
{
	ssize_t lf = str_find_byte(s, '\n');
	return lf < 0 ? s.n : (size_t)lf + 1;
}

static bool is_empty_line(struct str line)
{
	return str_chomp(line).n == 0 && line.n && line.p[line.n - 1] == '\n';
}

/* The name that a line begins with: name bytes, then WSP (obsolete, 4.5), then the colon. False
 * when the line is no field. *after is behind the colon. */
static bool parse_name(struct str line, struct str *name, size_t *after)
{
	size_t n = 0;
	while (n < line.n && n <= MIME_FIELD_NAME_MAX && is_name_byte(line.p[n]))
		n++;
	if (n == 0 || n > MIME_FIELD_NAME_MAX)
		return false;

	size_t colon = n;
	while (colon < line.n && ascii_is_wsp((unsigned char)line.p[colon]))
		colon++;
	if (colon == line.n || line.p[colon] != ':')
		return false;
	*name = str_sub(line, 0, n);
	*after = colon + 1;
	return true;
}

void mime_header_begin(struct mime_header_iter *it, struct str message,
		       struct mime_header_limits limits)
{
	*it = (struct mime_header_iter){ .rest = message, .limits = limits };
}

/* Bytes of the field at the front: its line and every line after it that begins with WSP. -E2BIG
 * when one of them is too long. */
static ssize_t field_size(const struct mime_header_iter *it)
{
	struct str s = it->rest;
	size_t n = 0;
	do {
		size_t line = line_size(str_skip(s, n));
		if (line > it->limits.line)
			return -E2BIG;
		n += line;
	} while (n < s.n && ascii_is_wsp((unsigned char)s.p[n]));
	return (ssize_t)n;
}

int mime_header_next(struct mime_header_iter *it, struct mime_field *out)
{
	if (it->ended || it->rest.n == 0)
		return 0;

	struct str line = str_sub(it->rest, 0, line_size(it->rest));
	if (is_empty_line(line)) {
		it->rest = str_skip(it->rest, line.n);
		it->ended = true;
		return 0;
	}

	struct mime_field f = { .whole = line };
	size_t after;
	f.is_garbage = !parse_name(line, &f.name, &after);
	ssize_t size = f.is_garbage ? (ssize_t)line.n : field_size(it);
	if (size < 0 || line.n > it->limits.line || it->fields >= it->limits.fields ||
	    (size_t)size > it->limits.total - it->total)
		return -E2BIG;

	f.whole = str_sub(it->rest, 0, (size_t)size);
	if (!f.is_garbage)
		f.value = str_chomp(str_skip(f.whole, after));
	it->fields++;
	it->total += (size_t)size;
	it->rest = str_skip(it->rest, (size_t)size);
	*out = f;
	return 1;
}

int mime_header_next_named(struct mime_header_iter *it, struct str name, struct mime_field *out)
{
	struct mime_field f;
	int r;
	while ((r = mime_header_next(it, &f)) > 0) {
		if (!f.is_garbage && str_eq_nocase(f.name, name)) {
			*out = f;
			return 1;
		}
	}
	return r;
}

bool mime_header_find(struct str message, struct str name, struct mime_field *out)
{
	struct mime_header_iter it;
	mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
	return mime_header_next_named(&it, name, out) > 0;
}

size_t mime_header_size(struct str message)
{
	size_t n = 0;
	while (n < message.n) {
		struct str rest = str_skip(message, n);
		struct str line = str_sub(rest, 0, line_size(rest));
		n += line.n;
		if (is_empty_line(line))
			break;
	}
	return n;
}

struct str mime_field_unfold(struct str value, struct arena *a)
{
	value = str_trim(value);
	if (str_find_byte(value, '\n') < 0)
		return value;

	char *p = arena_alloc(a, value.n);
	size_t n = 0;
	struct str line;
	while (str_next_line(&value, &line)) {
		if (line.n)
			memcpy(p + n, line.p, line.n);
		n += line.n;
	}
	return str_of(p, n);
}

void mime_header_scan_init(struct mime_header_scan *s, struct mime_header_limits limits,
			   struct mime_header_watch *watch, size_t n_watch)
{
	*s = (struct mime_header_scan){ .limits = limits, .watch = watch, .n_watch = n_watch };
}

static void scan_field(struct mime_header_scan *s)
{
	struct str name = str_of(s->name, s->name_n);
	s->fields++;
	s->in_field = true;
	s->state = MIME_SCAN_REST;
	for (size_t i = 0; i < s->n_watch; i++)
		if (str_eq_nocase(s->watch[i].name, name))
			s->watch[i].count++;
}

static void scan_garbage(struct mime_header_scan *s)
{
	s->garbage++;
	s->in_field = false;
	s->state = MIME_SCAN_REST;
}

static void scan_name_byte(struct mime_header_scan *s, char c)
{
	if (s->name_n == sizeof(s->name)) {
		scan_garbage(s);
		return;
	}
	s->name[s->name_n++] = c;
	s->state = MIME_SCAN_NAME;
}

/* First byte of a line. */
static void scan_start(struct mime_header_scan *s, char c)
{
	s->name_n = 0;
	if (c == '\n')
		s->ended = true;
	else if (c == '\r')
		s->state = MIME_SCAN_CR;
	else if (is_name_byte(c))
		scan_name_byte(s, c);
	else if (ascii_is_wsp((unsigned char)c) && s->in_field)
		s->state = MIME_SCAN_REST;
	else
		scan_garbage(s);
}

static void scan_byte(struct mime_header_scan *s, char c)
{
	switch (s->state) {
	case MIME_SCAN_START:
		scan_start(s, c);
		return;
	case MIME_SCAN_CR:
		if (c == '\n')
			s->ended = true;
		else
			scan_garbage(s);
		return;
	case MIME_SCAN_NAME:
		if (is_name_byte(c))
			scan_name_byte(s, c);
		else if (c == ':')
			scan_field(s);
		else if (ascii_is_wsp((unsigned char)c))
			s->state = MIME_SCAN_COLON;
		else
			scan_garbage(s);
		return;
	case MIME_SCAN_COLON:
		if (c == ':')
			scan_field(s);
		else if (!ascii_is_wsp((unsigned char)c))
			scan_garbage(s);
		return;
	case MIME_SCAN_REST:
		return;
	}
}

/* Bytes up to and including the next line end, or all; those that decide nothing are skipped at
 * once. */
static size_t scan_line(struct mime_header_scan *s, struct str piece)
{
	size_t n = 0;
	char c = '\0';
	while (n < piece.n && c != '\n' && s->state != MIME_SCAN_REST) {
		c = piece.p[n++];
		scan_byte(s, c);
	}
	if (c != '\n' && n < piece.n) {
		n += line_size(str_skip(piece, n));
		c = piece.p[n - 1];
	}
	s->line += n;
	s->total += n;
	if (s->line > s->limits.line || s->total > s->limits.total ||
	    s->fields + s->garbage > s->limits.fields)
		s->too_big = true;
	if (c == '\n') {
		s->state = MIME_SCAN_START;
		s->line = 0;
	}
	return n;
}

ssize_t mime_header_scan(struct mime_header_scan *s, struct str piece)
{
	size_t n = 0;
	while (n < piece.n && !s->ended && !s->too_big)
		n += scan_line(s, str_skip(piece, n));
	return s->too_big ? -E2BIG : (ssize_t)n;
}
