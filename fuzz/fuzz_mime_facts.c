/* Facts say of a message what reading it says; facts that are anything at all do no harm. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "mime/bodystructure.h"
#include "mime/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct mime_facts *f, struct arena *a)
{
	struct mime_facts_fields fields = { UINT64_MAX };
	struct mime_facts_parts parts;
	struct buf b;
	struct str s;
	size_t sum = 0;

	for (int i = 0; i < MIME_FACTS_KEYS; i++) {
		s = mime_facts_key(f, (enum mime_facts_key)i);
		for (size_t k = 0; k < s.n; k++)
			sum += (unsigned char)s.p[k];
	}
	for (unsigned i = 0; i < f->nrefs; i++)
		check(mime_facts_ref(f, i));
	check(sum < SIZE_MAX);
	buf_init(&b, a, SIZE_MAX / 2);
	if (mime_facts_envelope(f, &s) == 0)
		buf_put_str(&b, s);
	if (mime_facts_bodystructure(f, &s) == 0)
		buf_put_str(&b, s);
	if (mime_facts_preview(f, &s) == 0)
		buf_put_str(&b, s);
	(void)!mime_facts_body_put(f, &b);
	(void)!mime_facts_fields_put(f, &fields, &b);
	if (mime_facts_parts(f, a, &parts) < 0)
		return;
	for (uint32_t i = 0; i < 4; i++)
		for (uint32_t k = 0; k < 4; k++)
			(void)mime_facts_part_find(&parts, (uint32_t[]){ i, k }, 2);
}

static void check_parts(const struct mime_facts_parts *parts, const struct mime_part *p, size_t *i)
{
	check(*i < parts->n);
	const struct mime_facts_part *q = &parts->v[(*i)++];
	check(q->kind == p->kind && q->encoding == p->encoding);
	check(q->header.offset == p->header.offset && q->header.size == p->header.size &&
	      q->header.wire_size == p->header.wire_size);
	check(q->body.offset == p->body.offset && q->body.size == p->body.size &&
	      q->body.wire_size == p->body.wire_size);
	for (const struct mime_part *c = p->children; c; c = c->next)
		check_parts(parts, c, i);
}

static void compare(struct str message, const struct mime_facts *f, struct arena *a)
{
	struct mime_bodystructure how = { .message = message, .a = a };
	struct mime_structure st;
	struct mime_facts_parts parts;
	struct buf want, got;
	size_t i = 0;

	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, a, &st);
	int r = mime_facts_parts(f, a, &parts);
	check(r == 0 || r == -ENODATA);
	if (r == 0) {
		check_parts(&parts, st.root, &i);
		check(i == parts.n);
	}
	buf_init(&want, a, SIZE_MAX / 2);
	buf_init(&got, a, SIZE_MAX / 2);
	mime_bodystructure_write(&want, &how, st.root);
	r = mime_facts_body_put(f, &got);
	check(r == -ENODATA || (r == 0 && str_eq(buf_str(&want), buf_str(&got))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str s = str_of(data, size);
	struct mime_facts f, any;

	mime_facts_make(s, false, &a, &f);
	check(f.hot.n + f.cold.n <= MIME_FACTS_MAX);
	compare(s, &f, &a);
	read_all(&f, &a);

	/* The same bytes as blobs, one behind the other. */
	if (mime_facts_parse(s, str_skip(s, mime_facts_hot_size(s)), &any) == 0)
		read_all(&any, &a);
	/* Real blobs, damaged where the input says. */
	char *hot = arena_cstr(&a, f.hot), *cold = arena_cstr(&a, f.cold);
	for (size_t i = 0; i + 3 <= size && i < 30; i += 3) {
		size_t at = data[i] | (size_t)data[i + 1] << 8;
		hot[at % f.hot.n] = (char)data[i + 2];
		if (f.cold.n)
			cold[at % f.cold.n] = (char)data[i + 2];
	}
	if (mime_facts_parse(str_of(hot, f.hot.n), str_of(cold, f.cold.n), &any) == 0)
		read_all(&any, &a);
	return 0;
}
