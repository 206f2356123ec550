#include "smtp/parts.h"

#include "base/arena.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/transfer.h"

/* A longer one passes as it is. */
#define HEADER_MAX 65536

/* What follows a header. */
enum content {
	CONTENT_OPAQUE,
	CONTENT_PARTS,
	CONTENT_MESSAGE,
};

static enum content multipart(struct smtp_parts *p, const struct mime_content_type *type)
{
	const struct mime_param *boundary = mime_param_find(&type->params, STR("boundary"));

	if (!boundary || !boundary->value.n || boundary->value.n > MIME_BOUNDARY_MAX)
		return CONTENT_OPAQUE;
	/* RFC 1847 2.1: the signature is over every byte of the parts. */
	if (str_eq(type->subtype, STR("signed")) || p->depth == SMTP_PARTS_DEPTH)
		return CONTENT_OPAQUE;
	struct smtp_parts_level *l = &p->levels[p->depth++];
	memcpy(l->boundary, boundary->value.p, boundary->value.n);
	l->n = boundary->value.n;
	l->digest = str_eq(type->subtype, STR("digest"));
	return CONTENT_PARTS;
}

static bool is_encoded(struct str header)
{
	struct mime_field f;

	return mime_header_find(header, STR("Content-Transfer-Encoding"), &f) &&
	       !mime_encoding_is_identity(mime_encoding_parse(f.value));
}

/* What a header says of its body; a multipart is open then. */
static enum content content_of(struct smtp_parts *p, struct str header, bool digest)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_content_type type;
	struct mime_field f;

	if (!mime_header_find(header, STR("Content-Type"), &f) ||
	    mime_content_type_parse(f.value, &a, &type) < 0)
		return digest ? CONTENT_MESSAGE : CONTENT_OPAQUE;
	if (str_eq(type.type, STR("multipart")))
		return multipart(p, &type);
	bool message = str_eq(type.type, STR("message")) &&
		       (str_eq(type.subtype, STR("rfc822")) || str_eq(type.subtype, STR("global")));
	return message && !is_encoded(header) ? CONTENT_MESSAGE : CONTENT_OPAQUE;
}

static void begin_header(struct smtp_parts *p)
{
	buf_clear(&p->held);
	p->held_line = 0;
	p->state = SMTP_PARTS_HEADER;
}

static void begin_line(struct smtp_parts *p)
{
	p->line_n = 0;
	p->state = SMTP_PARTS_LINE_START;
}

static void enter(struct smtp_parts *p, enum content content)
{
	p->digest = false;
	if (content == CONTENT_MESSAGE)
		begin_header(p);
	else
		begin_line(p);
}

bool smtp_parts_wanted(struct str header)
{
	struct mime_field f;

	if (!mime_header_find(header, STR("Content-Type"), &f))
		return false;
	return str_find_nocase(f.value, STR("multipart")) >= 0 ||
	       str_find_nocase(f.value, STR("message")) >= 0;
}

void smtp_parts_init(struct smtp_parts *p, const struct smtp_head_cleaning *c, struct str header)
{
	*p = (struct smtp_parts){ .cleaning = *c };
	p->cleaning.part = true;
	buf_init(&p->held, NULL, HEADER_MAX);
	buf_init(&p->cleaned, NULL, 2 * HEADER_MAX);
	enter(p, content_of(p, header, false));
}

void smtp_parts_done(struct smtp_parts *p)
{
	buf_done(&p->held);
	buf_done(&p->cleaned);
}

enum boundary {
	BOUNDARY_NONE,
	BOUNDARY_BEGIN, /* of a part */
	BOUNDARY_END,	/* of the last one */
};

/* RFC 2046 5.1.1: the boundary of any multipart that is open ends those within. */
static enum boundary take_boundary(struct smtp_parts *p, struct str line)
{
	struct str rest = str_skip(line, 2);

	for (size_t i = p->depth; i-- > 0 && str_starts(line, STR("--"));) {
		const struct smtp_parts_level *l = &p->levels[i];
		if (!str_starts(rest, str_of(l->boundary, l->n)))
			continue;
		struct str behind = str_skip(rest, l->n);
		bool end = str_starts(behind, STR("--"));
		if (str_trim(end ? str_skip(behind, 2) : behind).n)
			continue;
		p->digest = l->digest && !end;
		p->depth = end ? i : i + 1;
		return end ? BOUNDARY_END : BOUNDARY_BEGIN;
	}
	return BOUNDARY_NONE;
}

static void pass_boundary(struct smtp_parts *p, enum boundary b)
{
	if (b == BOUNDARY_BEGIN)
		begin_header(p);
	else
		begin_line(p);
}

/* The first n bytes of what is held back are a header, which is cleaned; the others follow it. */
static struct str release(struct smtp_parts *p, size_t n)
{
	struct str all = buf_str(&p->held), header = str_sub(all, 0, n);

	buf_clear(&p->cleaned);
	if (smtp_head_is_clean(header, &p->cleaning))
		buf_put_str(&p->cleaned, header);
	else
		smtp_head_clean(header, &p->cleaning, &p->cleaned);
	buf_put_str(&p->cleaned, str_skip(all, n));
	check(!buf_failed(&p->cleaned));
	return buf_str(&p->cleaned);
}

/* A line of a header is complete. What comes out when the header is. */
static struct str take_header_line(struct smtp_parts *p)
{
	struct str all = buf_str(&p->held), line = str_skip(all, p->held_line), out;

	if (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"))) {
		out = release(p, all.n);
		enter(p, content_of(p, all, p->digest));
		return out;
	}
	enum boundary b = take_boundary(p, line);
	if (b == BOUNDARY_NONE) {
		p->held_line = all.n;
		return STR_NONE;
	}
	/* A header without a body behind it. */
	out = release(p, p->held_line);
	pass_boundary(p, b);
	return out;
}

/* Up to the end of the line, which may be in the next piece. */
static size_t line_length(struct str in)
{
	ssize_t end = str_find_byte(in, '\n');

	return end < 0 ? in.n : (size_t)end + 1;
}

static bool is_complete(struct str line)
{
	return line.n && line.p[line.n - 1] == '\n';
}

/* How many bytes are no header that is to be held back. */
static size_t pass_body(struct smtp_parts *p, struct str in)
{
	size_t used = 0;

	while (used < in.n && p->state != SMTP_PARTS_HEADER) {
		struct str rest = str_skip(in, used), line = str_sub(rest, 0, line_length(rest));
		if (p->state == SMTP_PARTS_LINE_START &&
		    ((p->line_n < 2 && rest.p[0] != '-') || p->line_n + line.n > SMTP_PARTS_LINE))
			p->state = SMTP_PARTS_TEXT;
		used += line.n;
		if (p->state == SMTP_PARTS_LINE_START) {
			memcpy(p->line + p->line_n, line.p, line.n);
			p->line_n += line.n;
		}
		if (!is_complete(line))
			continue;
		if (p->state == SMTP_PARTS_LINE_START)
			pass_boundary(p, take_boundary(p, str_of(p->line, p->line_n)));
		else
			begin_line(p);
	}
	return used;
}

size_t smtp_parts_feed(struct smtp_parts *p, struct str in, struct str *out, bool *header)
{
	*header = p->state == SMTP_PARTS_HEADER;
	if (!*header) {
		size_t n = pass_body(p, in);
		*out = str_sub(in, 0, n);
		return n;
	}
	struct str line = str_sub(in, 0, line_length(in));
	if (p->held.n + line.n > HEADER_MAX) {
		p->state = SMTP_PARTS_TEXT;
		*out = buf_str(&p->held);
		return 0;
	}
	buf_put_str(&p->held, line);
	*out = is_complete(line) ? take_header_line(p) : STR_NONE;
	return line.n;
}

struct str smtp_parts_finish(struct smtp_parts *p)
{
	return p->state == SMTP_PARTS_HEADER ? release(p, p->held.n) : STR_NONE;
}
