#include "mime/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void assert_envelope(const char *header, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;

	buf_init(&b, &a, 100000);
	mime_envelope_write(&b, str_from(header), &a);
	assert_string_equal(buf_cstr(&b), want);
}

/* The example of RFC 3501 section 8. */
static void the_envelope_of_the_rfc_comes_out_as_there(void **state)
{
	(void)state;
	assert_envelope("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
			"From: Terry Gray <gray@cac.washington.edu>\r\n"
			"Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
			"To: imap@cac.washington.edu\r\n"
			"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
			"Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
			"MIME-Version: 1.0\r\n"
			"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n"
			"\r\n",
			"(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and "
			"minutes\" "
			"((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			"((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			"((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			"((NIL NIL \"imap\" \"cac.washington.edu\")) "
			"((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
			"(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
			"\"<B27397-0100000@cac.washington.edu>\")");
}

static void a_header_without_fields_has_an_empty_envelope(void **state)
{
	(void)state;
	assert_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	assert_envelope("\nFrom: body@example.org\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

static void groups_are_marked_at_both_ends(void **state)
{
	(void)state;
	assert_envelope("To: friends: a@x.org, B <b@y.org>;\n",
			"(NIL NIL NIL NIL NIL ((NIL NIL \"friends\" NIL)(NIL NIL \"a\" \"x.org\")"
			"(\"B\" NIL \"b\" \"y.org\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)");
}

static void text_that_cannot_be_quoted_becomes_a_literal(void **state)
{
	(void)state;
	assert_envelope("Subject: a \"b\" \\\n",
			"(NIL \"a \\\"b\\\" \\\\\" NIL NIL NIL NIL NIL NIL NIL NIL)");
	assert_envelope("Subject: \xc3\xa4\n",
			"(NIL {2}\r\n\xc3\xa4 NIL NIL NIL NIL NIL NIL NIL NIL)");
	assert_envelope("Subject: folded\n over lines\n",
			"(NIL \"folded over lines\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_envelope_of_the_rfc_comes_out_as_there),
		cmocka_unit_test(a_header_without_fields_has_an_empty_envelope),
		cmocka_unit_test(groups_are_marked_at_both_ends),
		cmocka_unit_test(text_that_cannot_be_quoted_becomes_a_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
