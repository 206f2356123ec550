#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mime/structure.h"

/* A tree as text: "type/subtype 'body'", children in parentheses. */
static void put_part(struct buf *b, struct str message, const struct mime_part *p)
{
	buf_printf(b, "%" STR_FMT "/%" STR_FMT, STR_ARG(p->type.type), STR_ARG(p->type.subtype));
	if (p->kind == MIME_PART_LEAF)
		buf_printf(b, " '%" STR_FMT "'", STR_ARG(mime_extent_of(message, p->body)));
	else
		buf_puts(b, "(");
	for (const struct mime_part *c = p->children; c; c = c->next) {
		put_part(b, message, c);
		buf_puts(b, c->next ? ", " : "");
	}
	buf_puts(b, p->kind == MIME_PART_LEAF ? "" : ")");
}

static const char *tree_of(struct arena *a, const char *message,
			   struct mime_structure_limits limits, struct mime_structure *s)
{
	struct buf b;
	buf_init(&b, a, 1 << 20);
	mime_structure_parse(str_from(message), limits, a, s);
	put_part(&b, str_from(message), s->root);
	return buf_cstr(&b);
}

struct tree_case {
	const char *message, *want;
};

static void assert_trees(const struct tree_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_structure s;
		assert_string_equal(tree_of(&a, cases[i].message, MIME_STRUCTURE_LIMITS, &s),
				    cases[i].want);
		assert_false(s.truncated);
	}
}

#define MULTI(type, b) "Content-Type: multipart/" type "; boundary=" b "\n\n"

static void parts_and_messages_form_a_tree(void **state)
{
	(void)state;
	static const struct tree_case cases[] = {
		{ "Subject: x\n\nbody\n", "text/plain 'body\n'" },
		{ "Subject: x\r\n\r\nbody", "text/plain 'body'" },
		{ MULTI("mixed",
			"b") "pre\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\nepi\n",
		  "multipart/mixed(text/plain 'one', text/html 'two')" },
		{ MULTI("mixed", "\"a b \"") "--a b \t\n\none\r\n--a b--",
		  "multipart/mixed(text/plain 'one')" },
		{ MULTI("mixed", "o") "--o\n" MULTI("alternative",
						    "i") "--i\n\n1\n--i\n\n2\n--i--\n"
							 "--o\n\n3\n--o--\n",
		  "multipart/mixed(multipart/alternative(text/plain '1', text/plain '2'), "
		  "text/plain '3')" },
		{ MULTI("mixed",
			"b") "--b\nContent-Type: message/rfc822\n\nSubject: in\n\nhi\n--b--\n",
		  "multipart/mixed(message/rfc822(text/plain 'hi'))" },
		{ MULTI("digest",
			"b") "--b\n\nFrom: a\n\n1\n--b\nContent-Type: text/plain\n\n2\n--b--",
		  "multipart/digest(message/rfc822(text/plain '1'), text/plain '2')" },
		{ "Content-Type: message/rfc822\n\n" MULTI("mixed", "b") "--b\n\n1\n--b--\n",
		  "message/rfc822(multipart/mixed(text/plain '1'))" },
	};
	assert_trees(cases, ARRAY_LEN(cases));
}

static void broken_messages_have_a_sound_tree(void **state)
{
	(void)state;
	static const struct tree_case cases[] = {
		{ "", "text/plain ''" },
		{ "\n", "text/plain ''" },
		{ "no header", "text/plain ''" },
		{ "Content-Type: nonsense\n\nx", "text/plain 'x'" },
		{ "Content-Type: multipart/mixed\n\nx", "text/plain 'x'" },
		{ MULTI("mixed", "\"\"") "x", "text/plain 'x'" },
		/* a boundary that never comes, or ends at once */
		{ MULTI("mixed", "b") "x\n--c\n", "multipart/mixed()" },
		{ MULTI("mixed", "b") "--b--\n\n--b\n\nx", "multipart/mixed()" },
		/* no close delimiter */
		{ MULTI("mixed", "b") "--b\n\n1\n--b\n\n2\n",
		  "multipart/mixed(text/plain '1', text/plain '2\n')" },
		{ MULTI("mixed", "b") "--b\n\n1\n--b",
		  "multipart/mixed(text/plain '1', text/plain '')" },
		/* the inner multipart is cut off by the outer boundary */
		{ MULTI("mixed", "o") "--o\n" MULTI("mixed",
						    "i") "--i\n\n1\n--o\n\n2\n--i\n\n3\n--o--\n",
		  "multipart/mixed(multipart/mixed(text/plain '1'), text/plain '2\n--i\n\n3')" },
		/* boundaries that contain each other */
		{ MULTI("mixed", "b") "--b\n" MULTI("mixed",
						    "bb") "--bb\n\n1\n--bbb\n--bb--\n--b--\n",
		  "multipart/mixed(multipart/mixed(text/plain '1\n--bbb'))" },
		{ MULTI("mixed", "b") "--b\n" MULTI("mixed", "b--") "--b--\n\n1\n--b----\n--b--\n",
		  "multipart/mixed(multipart/mixed(text/plain '1'))" },
		/* the same boundary twice: the inner one has it until it is closed */
		{ MULTI("mixed", "b") "--b\n" MULTI("mixed",
						    "b") "--b\n\n1\n--b--\n--b\n\n2\n--b--\n",
		  "multipart/mixed(multipart/mixed(text/plain '1'), text/plain '2')" },
		/* a header cut off by a boundary */
		{ MULTI("mixed", "b") "--b\nContent-Type: text/html\n--b\nX: y\n--b--\n",
		  "multipart/mixed(text/html '', text/plain '')" },
		{ MULTI("mixed", "b") "--b\nContent-Type: message/rfc822\n--b--\n",
		  "multipart/mixed(message/rfc822(text/plain ''))" },
		/* the first of several fields counts, in any case and folded */
		{ "content-TYPE:\n TEXT\n /HTML\nContent-Type: a/b\n\nx", "text/html 'x'" },
		/* an encoded message is not looked into */
		{ "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==\n",
		  "application/octet-stream 'QQ==\n'" },
	};
	assert_trees(cases, ARRAY_LEN(cases));
}

static void sizes_are_counted_as_stored_and_as_sent(void **state)
{
	(void)state;
	struct str message = STR(MULTI("mixed", "b") "pre\n--b\nX: y\r\n\nl1\r\nl2\nl3\n--b--\n");
	auto_arena struct arena a = ARENA_INIT;
	struct mime_structure s;
	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, &a, &s);

	const struct mime_extent root_header = s.root->header, root_body = s.root->body;
	assert_int_equal(root_header.offset, 0);
	assert_int_equal(root_header.size, sizeof(MULTI("mixed", "b")) - 1);
	assert_int_equal(root_header.wire_size, root_header.size + 2);
	assert_int_equal(root_header.lines, 2);
	assert_int_equal(root_body.offset, root_header.size);
	assert_int_equal(root_body.size, message.n - root_header.size);
	assert_int_equal(root_body.wire_size, root_body.size + 6);
	assert_int_equal(root_body.lines, 8);

	const struct mime_part *p = s.root->children;
	assert_int_equal(p->header.offset, root_header.size + 8);
	assert_int_equal(p->header.size, 7);
	assert_int_equal(p->header.wire_size, 8);
	assert_int_equal(p->header.lines, 2);
	assert_int_equal(p->body.offset, p->header.offset + 7);
	assert_int_equal(p->body.size, 9);
	assert_int_equal(p->body.wire_size, 10);
	assert_int_equal(p->body.lines, 2);
}

static void fields_of_a_part_are_kept(void **state)
{
	(void)state;
	static const char message[] =
		"Content-ID: <1@x>\nContent-Description: a\n picture\n"
		"Content-Transfer-Encoding: BASE64\nContent-Language: de, en\n"
		"Content-Disposition: attachment; filename=x\n"
		"Content-Location: http://x\nContent-MD5: abc==\n\n";
	auto_arena struct arena a = ARENA_INIT;
	struct mime_structure s;
	mime_structure_parse(str_from(message), MIME_STRUCTURE_LIMITS, &a, &s);
	const struct mime_part *p = s.root;
	assert_true(str_eq(p->id, STR("<1@x>")));
	assert_true(str_eq(p->description, STR("a picture")));
	assert_int_equal(p->encoding, MIME_ENCODING_BASE64);
	assert_true(str_eq(p->encoding_name, STR("base64")));
	assert_true(str_eq(p->language, STR("de, en")));
	assert_true(str_eq(p->location, STR("http://x")));
	assert_true(str_eq(p->md5, STR("abc==")));
	assert_true(p->has_disposition);
	assert_true(str_eq(p->disposition.kind, STR("attachment")));
	assert_int_equal(p->disposition.params.n, 1);
}

static void limits_stop_the_descent_and_say_so(void **state)
{
	(void)state;
	static const struct {
		struct mime_structure_limits limits;
		const char *want;
	} cases[] = {
		{ { 2, 9 },
		  "multipart/mixed(multipart/mixed(text/plain '1', text/plain '2'), text/plain "
		  "'3')" },
		{ { 1, 9 },
		  "multipart/mixed(application/octet-stream '--i\n\n1\n--i\n\n2\n--i--', "
		  "text/plain '3')" },
		{ { 0, 9 },
		  "application/octet-stream '--o\n" MULTI("mixed",
							  "i") "--i\n\n1\n--i\n\n2\n--i--\n"
							       "--o\n\n3\n--o--\n'" },
		{ { 9, 3 }, "multipart/mixed(multipart/mixed(text/plain '1\n--i\n\n2'))" },
	};
	static const char message[] =
		MULTI("mixed", "o") "--o\n" MULTI("mixed", "i") "--i\n\n1\n--i\n\n2\n--i--\n"
								"--o\n\n3\n--o--\n";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct mime_structure s;
		assert_string_equal(tree_of(&a, message, cases[i].limits, &s), cases[i].want);
		assert_int_equal(s.truncated, i > 0);
	}
}

static void sections_are_found_by_number(void **state)
{
	(void)state;
	/* the tree of RFC 9051 6.4.5.1, shortened */
	static const char message[] =
		MULTI("mixed", "a") "--a\n\n1\n--a\nContent-Type: message/rfc822\n\n" MULTI(
			"mixed", "b") "--b\n\n2.1\n--b\nContent-Type: message/rfc822\n\nSubject: "
				      "x\n\n2.2.1\n--b--\n--a--\n";
	static const struct {
		uint32_t path[4];
		size_t n;
		const char *body; /* NULL: no such part */
	} cases[] = {
		{ { 1 }, 1, "1" },	     { { 1, 1 }, 2, NULL },
		{ { 2, 1 }, 2, "2.1" },	     { { 2, 2 }, 2, "Subject: x\n\n2.2.1" },
		{ { 2, 2, 1 }, 3, "2.2.1" }, { { 2, 2, 1, 1 }, 4, NULL },
		{ { 2, 2, 2 }, 3, NULL },    { { 2, 3 }, 2, NULL },
		{ { 3 }, 1, NULL },	     { { 0 }, 1, NULL },
	};
	auto_arena struct arena a = ARENA_INIT;
	struct mime_structure s;
	mime_structure_parse(str_from(message), MIME_STRUCTURE_LIMITS, &a, &s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct mime_part *p = mime_part_find(s.root, cases[i].path, cases[i].n);
		assert_int_equal(p != NULL, cases[i].body != NULL);
		if (p)
			assert_true(str_eq(mime_extent_of(str_from(message), p->body),
					   str_from(cases[i].body)));
	}
}

static void a_message_begun_by_a_boundary_counts_as_a_part(void **state)
{
	(void)state;
	static const char message[] =
		MULTI("mixed", "b") "--b\nContent-Type: message/rfc822\n--b\n\nx\n";
	auto_arena struct arena a = ARENA_INIT;
	struct mime_structure s;
	struct mime_structure_limits limits = { 9, 3 };
	assert_string_equal(tree_of(&a, message, limits, &s),
			    "multipart/mixed(message/rfc822(text/plain '--b\n\nx\n'))");
	assert_int_equal(s.parts, 3);
	assert_true(s.truncated);
}

/* A megabyte of lines that are nearly boundaries, under a hundred open ones. */
static void hostile_boundaries_cost_linear_time(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;
	buf_init(&b, &a, 4 << 20);
	for (int i = 0; i < 99; i++)
		buf_printf(&b, MULTI("mixed", "%0190d") "--%0190d\n", i, i);
	buf_puts(&b, "\n");
	while (b.n < 2 << 20)
		buf_printf(&b, "--%0190d\n--\n", 100);

	struct mime_structure s;
	mime_structure_parse(buf_str(&b), MIME_STRUCTURE_LIMITS, &a, &s);
	assert_int_equal(s.parts, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_and_messages_form_a_tree),
		cmocka_unit_test(broken_messages_have_a_sound_tree),
		cmocka_unit_test(sizes_are_counted_as_stored_and_as_sent),
		cmocka_unit_test(fields_of_a_part_are_kept),
		cmocka_unit_test(limits_stop_the_descent_and_say_so),
		cmocka_unit_test(a_message_begun_by_a_boundary_counts_as_a_part),
		cmocka_unit_test(sections_are_found_by_number),
		cmocka_unit_test(hostile_boundaries_cost_linear_time),
	};
	return cmocka_run_group_tests_name("mime/structure", tests, NULL, NULL);
}
