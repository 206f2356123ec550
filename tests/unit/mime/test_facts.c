#include "mime/facts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mime/msgid.h"

static const char mail[] = "Received: from a by b; Wed, 25 Nov 2026 10:00:00 +0000\n"
			   "Message-ID: <3@x>\n"
			   "References: <1@x> <2@x>\n <3@x>\n"
			   "Date: Wed, 25 Nov 2026 11:00:00 +0100\n"
			   "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\n"
			   "To: Team: a@x.org, b@y.org;\n"
			   "cc: Zoe <zoe@z.org>, y@y.org\n"
			   "CC: second@z.org\n"
			   "Subject: Re: [list] Hello\n  world\n"
			   "X-Unknown: x\n"
			   "Content-Type: multipart/mixed; boundary=b\n\n"
			   "--b\nContent-Type: text/plain; charset=utf-8\n\nText of it.\n"
			   "--b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninside\n"
			   "--b\nContent-Type: application/pdf; name=a.pdf\n"
			   "Content-Transfer-Encoding: base64\n\nAAAA\n--b--\n";

static void make(struct arena *a, struct mime_facts *f)
{
	mime_facts_make(str_from(mail), false, a, f);
}

static void assert_key(const struct mime_facts *f, enum mime_facts_key key, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;

	assert_string_equal(arena_cstr(&a, mime_facts_key(f, key)), want);
}

static void the_hot_blob_has_what_searching_and_sorting_need(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;

	(void)state;
	make(&a, &f);
	assert_key(&f, MIME_FACTS_SUBJECT, "RE: [LIST] HELLO  WORLD");
	assert_key(&f, MIME_FACTS_FROM, "JORG <JOERG@EXAMPLE.ORG>");
	assert_key(&f, MIME_FACTS_TO, "TEAM: A@X.ORG, B@Y.ORG;");
	assert_key(&f, MIME_FACTS_CC, "ZOE <ZOE@Z.ORG>, Y@Y.ORG\nSECOND@Z.ORG");
	assert_key(&f, MIME_FACTS_BCC, "");
	assert_key(&f, MIME_FACTS_MESSAGE_ID, "<3@X>");
	assert_key(&f, MIME_FACTS_BASE_SUBJECT, "HELLO WORLD");
	assert_key(&f, MIME_FACTS_SORT_FROM, "JOERG");
	assert_key(&f, MIME_FACTS_SORT_TO, "TEAM");
	assert_key(&f, MIME_FACTS_SORT_CC, "ZOE");
	assert_key(&f, MIME_FACTS_DISPLAY_FROM, "JO\xcc\x88RG");
	assert_key(&f, MIME_FACTS_DISPLAY_TO, "TEAM");
	assert_int_equal(f.present, 0x2f);
	assert_int_equal(f.missing, 0);
	assert_int_equal(f.flags,
			 MIME_FACTS_HAS_DATE | MIME_FACTS_RESPONSE | MIME_FACTS_ATTACHMENT);
	assert_int_equal(f.sent, 1795600800);
	assert_int_equal(f.zone_min, 60);
	assert_true(f.hot.n < 400);
}

static void its_references_leave_the_message_itself_out(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;

	(void)state;
	make(&a, &f);
	assert_true(f.id == mime_msgid_hash(STR("3@x")));
	assert_int_equal(f.nrefs, 2);
	assert_true(mime_facts_ref(&f, 0) == mime_msgid_hash(STR("1@x")));
	assert_true(mime_facts_ref(&f, 1) == mime_msgid_hash(STR("2@x")));
}

/* RFC 5256 section 3, REFERENCES, step 1. */
static void without_references_the_first_of_in_reply_to_counts(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;

	(void)state;
	mime_facts_make(STR("References: none\nIn-Reply-To: <1@x> <2@x>\n\n"), false, &a, &f);
	assert_int_equal(f.nrefs, 1);
	assert_true(mime_facts_ref(&f, 0) == mime_msgid_hash(STR("1@x")));
}

static void of_too_many_references_the_first_and_the_last_are_kept(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;
	struct buf b;

	(void)state;
	buf_init(&b, &a, 10000);
	buf_puts(&b, "References:");
	for (int i = 0; i < 150; i++)
		buf_printf(&b, " <%d@x>", i);
	buf_puts(&b, "\n\n");
	mime_facts_make(buf_str(&b), false, &a, &f);
	assert_int_equal(f.nrefs, MIME_FACTS_REFS_MAX);
	assert_true(mime_facts_ref(&f, 0) == mime_msgid_hash(STR("0@x")));
	assert_true(mime_facts_ref(&f, 1) == mime_msgid_hash(STR("51@x")));
	assert_true(mime_facts_ref(&f, 99) == mime_msgid_hash(STR("149@x")));
}

static void the_cold_blob_has_what_fetch_sends(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;
	struct str text;
	struct buf b;

	(void)state;
	make(&a, &f);
	assert_int_equal(mime_facts_preview(&f, &text), 0);
	assert_string_equal(arena_cstr(&a, text), "Text of it.");
	assert_int_equal(mime_facts_envelope(&f, &text), 0);
	assert_true(str_starts(text, STR("(\"Wed, 25 Nov 2026 11:00:00 +0100\" \"Re: [list]")));
	assert_int_equal(mime_facts_bodystructure(&f, &text), 0);
	assert_true(str_ends(text, STR(" \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)")));

	buf_init(&b, &a, 10000);
	assert_int_equal(mime_facts_body_put(&f, &b), 0);
	assert_string_equal(buf_cstr(&b),
			    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 11 0)"
			    "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 24 "
			    "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
			    "(\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 6 0) 2)"
			    "(\"APPLICATION\" \"PDF\" (\"NAME\" \"a.pdf\") NIL NIL \"BASE64\" 4) "
			    "\"MIXED\")");
}

static void fields_come_in_the_order_of_the_message(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts_fields fields = { 0 };
	struct mime_facts f;
	struct buf b;

	(void)state;
	make(&a, &f);
	buf_init(&b, &a, 1000);
	assert_true(mime_facts_fields_add(&fields, STR("SUBJECT")));
	assert_true(mime_facts_fields_add(&fields, STR("cc")));
	assert_true(mime_facts_fields_add(&fields, STR("List-Id")));
	assert_false(mime_facts_fields_add(&fields, STR("X-Unknown")));
	assert_int_equal(mime_facts_fields_put(&f, &fields, &b), 0);
	assert_string_equal(buf_cstr(&b), "cc: Zoe <zoe@z.org>, y@y.org\r\nCC: second@z.org\r\n"
					  "Subject: Re: [list] Hello\r\n  world\r\n\r\n");
}

static void parts_are_found_by_their_numbers(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;
	struct mime_facts_parts parts;
	static const struct {
		uint32_t path[2];
		size_t n;
		const char *body; /* NULL: there is no such part */
	} table[] = {
		{ { 1 }, 1, "Text of it." }, { { 2 }, 1, "Subject: inner\n\ninside" },
		{ { 3 }, 1, "AAAA" },	     { { 4 }, 1, NULL },
		{ { 2, 1 }, 2, "inside" },   { { 2, 2 }, 2, NULL },
		{ { 1, 1 }, 2, NULL },	     { { 0 }, 1, NULL },
	};

	(void)state;
	make(&a, &f);
	assert_int_equal(mime_facts_parts(&f, &a, &parts), 0);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct mime_facts_part *p =
			mime_facts_part_find(&parts, table[i].path, table[i].n);
		assert_int_equal(p != NULL, table[i].body != NULL);
		if (!p)
			continue;
		struct str body = mime_extent_of(str_from(mail), p->body);
		assert_string_equal(arena_cstr(&a, body), table[i].body);
	}
	assert_int_equal(parts.v[4].encoding, MIME_ENCODING_BASE64);
	assert_int_equal(parts.v[2].body.wire_size, parts.v[2].body.size + 2);
}

static void what_is_too_large_is_left_out_and_said(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f;
	struct str text;
	struct buf b;

	(void)state;
	buf_init(&b, &a, 1 << 20);
	buf_puts(&b, "Subject: short\nTo: ");
	for (int i = 0; i < 2000; i++)
		buf_printf(&b, "somebody-%d@example.org,\n ", i);
	buf_puts(&b, "last@example.org\n\nbody\n");
	mime_facts_make(buf_str(&b), false, &a, &f);
	assert_int_equal(f.present, 1 << MIME_FACTS_SUBJECT | 1 << MIME_FACTS_TO);
	assert_int_equal(f.missing, 1 << MIME_FACTS_TO);
	assert_key(&f, MIME_FACTS_SUBJECT, "SHORT");
	assert_key(&f, MIME_FACTS_TO, "");
	assert_key(&f, MIME_FACTS_SORT_TO, "SOMEBODY-0");
	assert_int_equal(mime_facts_envelope(&f, &text), -ENODATA);
	assert_int_equal(mime_facts_preview(&f, &text), 0);
	assert_true(f.hot.n + f.cold.n <= MIME_FACTS_MAX);
}

static void only_the_hot_blob_may_be_at_hand(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f, hot;
	struct str text;

	(void)state;
	make(&a, &f);
	assert_int_equal(mime_facts_parse(f.hot, STR_NONE, &hot), 0);
	assert_key(&hot, MIME_FACTS_SORT_CC, "ZOE");
	assert_int_equal(mime_facts_envelope(&hot, &text), -ENODATA);
}

static void damage_is_noticed(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_facts f, bad;

	(void)state;
	make(&a, &f);
	struct str short_hot = str_sub(f.hot, 0, f.hot.n - 1);
	struct str short_cold = str_sub(f.cold, 0, f.cold.n - 1);
	assert_int_equal(mime_facts_parse(short_hot, f.cold, &bad), -EBADMSG);
	assert_int_equal(mime_facts_parse(f.hot, short_cold, &bad), -EBADMSG);
	assert_int_equal(mime_facts_parse(STR(""), STR_NONE, &bad), -EBADMSG);
	((char *)f.hot.p)[0]++;
	assert_int_equal(mime_facts_parse(f.hot, f.cold, &bad), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hot_blob_has_what_searching_and_sorting_need),
		cmocka_unit_test(its_references_leave_the_message_itself_out),
		cmocka_unit_test(without_references_the_first_of_in_reply_to_counts),
		cmocka_unit_test(of_too_many_references_the_first_and_the_last_are_kept),
		cmocka_unit_test(the_cold_blob_has_what_fetch_sends),
		cmocka_unit_test(fields_come_in_the_order_of_the_message),
		cmocka_unit_test(parts_are_found_by_their_numbers),
		cmocka_unit_test(what_is_too_large_is_left_out_and_said),
		cmocka_unit_test(only_the_hot_blob_may_be_at_hand),
		cmocka_unit_test(damage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
