#include "imap/section.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "imap/lexer.h"
#include "imap/write.h"
#include "mime/header.h"

#define PATH_MAX_DEPTH 100
#define FIELDS_MAX     500

static const struct {
	const char *name;
	enum imap_section_kind kind;
} section_names[] = {
	/* Longer names first: each begins like the next. */
	{ "HEADER.FIELDS.NOT", IMAP_SECTION_FIELDS_NOT },
	{ "HEADER.FIELDS", IMAP_SECTION_FIELDS },
	{ "HEADER", IMAP_SECTION_HEADER },
	{ "TEXT", IMAP_SECTION_TEXT },
	{ "MIME", IMAP_SECTION_MIME },
};

/* "1.2." or "1.2"; a dot at the end means that a name follows. */
static int parse_path(struct imap_lexer *lx, struct imap_section *out, bool *named)
{
	*named = true;
	while (ascii_is_digit(imap_lexer_look(lx))) {
		uint32_t n;
		int r = imap_lexer_number(lx, &n);
		if (r < 0)
			return r;
		if (n == 0)
			return imap_lexer_bad(lx, "Part numbers begin with 1");
		if (out->depth == PATH_MAX_DEPTH)
			return imap_lexer_bad(lx, "Part number too deep");
		if (out->depth == 0)
			out->path = ARENA_NEW_ARRAY(lx->arena, uint32_t, PATH_MAX_DEPTH);
		out->path[out->depth++] = n;
		*named = imap_lexer_accept(lx, '.');
		if (!*named)
			break;
	}
	return 0;
}

static int parse_name(struct imap_lexer *lx, struct imap_section *out)
{
	struct str rest = str_skip(lx->line, lx->pos);

	for (size_t i = 0; i < ARRAY_LEN(section_names); i++) {
		struct str name = str_from(section_names[i].name);
		if (!str_starts_nocase(rest, name))
			continue;
		lx->pos += name.n;
		out->kind = section_names[i].kind;
		if (out->kind == IMAP_SECTION_MIME && out->depth == 0)
			break;
		return 0;
	}
	return imap_lexer_bad(lx, "Unknown section");
}

static int may_suspend parse_fields(struct imap_lexer *lx, struct imap_section *out)
{
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_expect(lx, '(')) < 0)
		return r;
	out->fields = ARENA_NEW_ARRAY(lx->arena, struct str, FIELDS_MAX);
	do {
		if (out->nfields == FIELDS_MAX)
			return imap_lexer_bad(lx, "Too many header fields");
		if ((r = imap_lexer_astring(lx, &out->fields[out->nfields])) < 0)
			return r;
		out->nfields++;
	} while (imap_lexer_accept(lx, ' '));
	return imap_lexer_expect(lx, ')');
}

int imap_section_parse(struct imap_lexer *lx, struct imap_section *out)
{
	struct imap_section s = { .kind = IMAP_SECTION_ALL };
	bool named;

	if (!imap_lexer_accept(lx, ']')) {
		int r = parse_path(lx, &s, &named);
		if (r == 0 && named)
			r = parse_name(lx, &s);
		if (r == 0 && (s.kind == IMAP_SECTION_FIELDS || s.kind == IMAP_SECTION_FIELDS_NOT))
			r = parse_fields(lx, &s);
		if (r == 0)
			r = imap_lexer_expect(lx, ']');
		if (r < 0)
			return r;
	}
	*out = s;
	return 0;
}

/* As an atom where that is one: clients compare the section with what they asked for. */
static void write_field_name(struct buf *b, struct str name)
{
	bool is_atom = name.n > 0;

	for (size_t i = 0; i < name.n; i++)
		is_atom = is_atom && (ascii_is_alnum((unsigned char)name.p[i]) ||
				      strchr("-_.!#$&'+/:;<=>?@^`|~", name.p[i]));
	if (is_atom)
		buf_put_str(b, name);
	else
		imap_write_string(b, name);
}

void imap_section_write(struct buf *b, const struct imap_section *section)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < section->depth; i++) {
		if (i)
			buf_putc(b, '.');
		buf_put_u64(b, section->path[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(section_names); i++) {
		if (section_names[i].kind != section->kind)
			continue;
		if (section->depth)
			buf_putc(b, '.');
		buf_puts(b, section_names[i].name);
	}
	for (size_t i = 0; i < section->nfields; i++) {
		buf_puts(b, i ? " " : " (");
		write_field_name(b, section->fields[i]);
	}
	buf_puts(b, section->nfields ? ")]" : "]");
}

static int by_name(const void *a, const void *b)
{
	return str_cmp_nocase(*(const struct str *)a, *(const struct str *)b);
}

/* In order, so that many names of a command and many fields of a message make no product. */
static const struct str *sorted_names(const struct imap_section *section, struct arena *a)
{
	struct str *names = ARENA_NEW_ARRAY(a, struct str, section->nfields + 1);

	for (size_t i = 0; i < section->nfields; i++)
		names[i] = section->fields[i];
	qsort(names, section->nfields, sizeof(*names), by_name);
	return names;
}

static void put_crlf_lines(struct buf *b, struct str text)
{
	STR_FOREACH_LINE (text, line) {
		buf_put_str(b, line);
		buf_puts(b, "\r\n");
	}
}

void imap_section_filter_header(struct buf *b, struct str header,
				const struct imap_section *section)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct str *names = sorted_names(section, &a);
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		bool wanted = !f.is_garbage &&
			      bsearch(&f.name, names, section->nfields, sizeof(*names), by_name);
		if (wanted == (section->kind == IMAP_SECTION_FIELDS))
			put_crlf_lines(b, f.whole);
	}
	buf_puts(b, "\r\n");
}
