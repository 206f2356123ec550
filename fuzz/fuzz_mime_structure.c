/* Parts lie within each other; line ends on disk do not change what is sent. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "mime/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t end_of(struct mime_extent e)
{
	return e.offset + e.size;
}

static void check_part(const struct mime_part *p)
{
	size_t at = p->body.offset;
	check(end_of(p->header) == p->body.offset);
	check(p->type.type.n && p->type.subtype.n);
	check((p->kind == MIME_PART_MULTIPART) == str_eq(p->type.type, STR("multipart")));
	check(p->kind != MIME_PART_MESSAGE || (p->children && !p->children->next));
	check(p->kind != MIME_PART_LEAF || !p->children);
	for (const struct mime_part *c = p->children; c; c = c->next) {
		check(c->parent == p);
		check(c->header.offset >= at);
		/* A header is kept with its line end when a boundary cuts it off. */
		check(end_of(c->body) <= end_of(p->body) || c->body.size == 0);
		at = end_of(c->body);
		check_part(c);
	}
}

static void check_same(const struct mime_part *a, const struct mime_part *b)
{
	check(a->kind == b->kind);
	check(str_eq(a->type.type, b->type.type) && str_eq(a->type.subtype, b->type.subtype));
	check(a->header.wire_size == b->header.size && a->body.wire_size == b->body.size);
	check(b->header.wire_size == b->header.size && b->body.wire_size == b->body.size);
	check(a->header.lines == b->header.lines && a->body.lines == b->body.lines);
	const struct mime_part *x = a->children, *y = b->children;
	for (; x && y; x = x->next, y = y->next)
		check_same(x, y);
	check(!x && !y);
}

static struct str with_crlf(struct str s, struct arena *a)
{
	struct buf b;
	buf_init(&b, a, 2 * s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_putc(&b, '\r');
		buf_putc(&b, s.p[i]);
	}
	return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str message = str_of(data, size);
	struct mime_structure stored, sent;
	struct mime_structure_limits limits = { 5, 20 };

	mime_structure_parse(message, limits, &a, &stored);
	check(stored.parts <= limits.parts);
	check(stored.root->header.offset == 0 && end_of(stored.root->body) == size);
	check_part(stored.root);
	mime_structure_parse(with_crlf(message, &a), limits, &a, &sent);
	/* Where values are cut to their limit, a fold may come out differently. */
	if (size < MIME_STRUCTURE_VALUE_MAX / 2)
		check_same(stored.root, sent.root);
	return 0;
}
