#include "mime/bodystructure.h"

#include "base/arena.h"
#include "mime/envelope.h"
#include "mime/nstring.h"
#include "mime/structure.h"

#define EMPTY_BODY "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 0 0"

/* As keyword "type": upper case is what clients have always seen. */
static void write_upper(struct buf *b, struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_upper(s.p[i]);
	mime_string_write(b, str_of(p, s.n));
}

/* "NAME" "value" */
static void write_param(struct buf *b, const struct mime_param *p, struct arena *a)
{
	struct str name = p->name, value = p->value;

	/* RFC 2231: clients decode what stands under "name*". */
	if (p->is_extended) {
		struct buf extended;
		buf_init(&extended, a, SIZE_MAX / 2);
		mime_param_write_extended(&extended, p);
		value = buf_str(&extended);
		name = arena_printf(a, "%" STR_FMT "*", STR_ARG(p->name));
	}
	write_upper(b, name, a);
	buf_putc(b, ' ');
	mime_string_write(b, value);
}

static void write_params(struct buf *b, const struct mime_params *params, struct arena *a)
{
	if (params->n == 0) {
		buf_puts(b, "NIL");
		return;
	}
	for (size_t i = 0; i < params->n; i++) {
		buf_putc(b, i ? ' ' : '(');
		write_param(b, &params->items[i], a);
	}
	buf_putc(b, ')');
}

/* RFC 2046 4.1.2: text is in US-ASCII unless it says otherwise. */
static void write_type_params(struct buf *b, const struct mime_part *part, struct arena *a)
{
	const struct mime_params *params = &part->type.params;

	if (!str_eq(part->type.type, STR("text")) || mime_param_find(params, STR("charset"))) {
		write_params(b, params, a);
		return;
	}
	buf_putc(b, '(');
	for (size_t i = 0; i < params->n; i++) {
		write_param(b, &params->items[i], a);
		buf_putc(b, ' ');
	}
	buf_puts(b, "\"CHARSET\" \"us-ascii\")");
}

/* "en, de": a list of words, or one. */
static void write_language(struct buf *b, struct str value)
{
	struct str rest = value, word;
	unsigned n = 0;

	if (!value.p || str_trim(value).n == 0) {
		buf_puts(b, "NIL");
		return;
	}
	buf_putc(b, '(');
	while (rest.n) {
		str_cut(rest, ',', &word, &rest);
		word = str_trim(word);
		if (word.n == 0)
			continue;
		if (n++)
			buf_putc(b, ' ');
		mime_string_write(b, word);
	}
	if (n == 0)
		buf_puts(b, "\"\"");
	buf_putc(b, ')');
}

/* What was written since `from` is not in BODY. */
static void note_extension(const struct buf *b, const struct mime_bodystructure *how, size_t from)
{
	struct mime_extensions *e = how->extensions;

	if (!e)
		return;
	if (e->n == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 8;
		struct mime_extension *v = ARENA_NEW_ARRAY(how->a, struct mime_extension, e->cap);
		for (size_t i = 0; i < e->n; i++)
			v[i] = e->v[i];
		e->v = v;
	}
	e->v[e->n++] = (struct mime_extension){ from, b->n };
}

/* Disposition, language and location: the end of every extended form. */
static void write_extension(struct buf *b, const struct mime_bodystructure *how,
			    const struct mime_part *part)
{
	buf_putc(b, ' ');
	if (part->has_disposition) {
		buf_putc(b, '(');
		write_upper(b, part->disposition.kind, how->a);
		buf_putc(b, ' ');
		write_params(b, &part->disposition.params, how->a);
		buf_putc(b, ')');
	} else {
		buf_puts(b, "NIL");
	}
	buf_putc(b, ' ');
	write_language(b, part->language);
	buf_putc(b, ' ');
	mime_nstring_write(b, part->location);
}

static void write_empty(struct buf *b, const struct mime_bodystructure *how)
{
	buf_puts(b, EMPTY_BODY);
	size_t from = b->n;
	if (how->extended) {
		buf_puts(b, " NIL NIL NIL NIL");
		note_extension(b, how, from);
	}
	buf_putc(b, ')');
}

static void write_multipart(struct buf *b, const struct mime_bodystructure *how,
			    const struct mime_part *part)
{
	for (const struct mime_part *c = part->children; c; c = c->next)
		mime_bodystructure_write(b, how, c);
	/* The grammar wants at least one body; a multipart without its boundary has none. */
	if (!part->children)
		write_empty(b, how);
	buf_putc(b, ' ');
	write_upper(b, part->type.subtype, how->a);
	if (!how->extended)
		return;
	size_t from = b->n;
	buf_putc(b, ' ');
	write_params(b, &part->type.params, how->a);
	write_extension(b, how, part);
	note_extension(b, how, from);
}

static void write_single(struct buf *b, const struct mime_bodystructure *how,
			 const struct mime_part *part)
{
	write_upper(b, part->type.type, how->a);
	buf_putc(b, ' ');
	write_upper(b, part->type.subtype, how->a);
	buf_putc(b, ' ');
	write_type_params(b, part, how->a);
	buf_putc(b, ' ');
	mime_nstring_write(b, part->id);
	buf_putc(b, ' ');
	mime_nstring_write(b, part->description);
	buf_putc(b, ' ');
	write_upper(b, part->encoding_name, how->a);
	buf_printf(b, " %zu", how->wire ? part->body.size : part->body.wire_size);

	/* message/global has no form of its own before RFC 9051. */
	bool is_message = part->kind == MIME_PART_MESSAGE && part->children &&
			  (how->rev2 || str_eq(part->type.subtype, STR("rfc822")));
	if (is_message) {
		buf_putc(b, ' ');
		mime_envelope_write(b, mime_extent_of(how->message, part->children->header),
				    how->a);
		buf_putc(b, ' ');
		mime_bodystructure_write(b, how, part->children);
	}
	if (is_message || str_eq(part->type.type, STR("text")))
		buf_printf(b, " %zu", part->body.lines);
	if (!how->extended)
		return;
	size_t from = b->n;
	buf_putc(b, ' ');
	mime_nstring_write(b, part->md5);
	write_extension(b, how, part);
	note_extension(b, how, from);
}

void mime_bodystructure_write(struct buf *b, const struct mime_bodystructure *how,
			      const struct mime_part *part)
{
	buf_putc(b, '(');
	if (part->kind == MIME_PART_MULTIPART)
		write_multipart(b, how, part);
	else
		write_single(b, how, part);
	buf_putc(b, ')');
}
