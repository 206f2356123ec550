#include "mime/bodystructure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mime/structure.h"

static void assert_structure(const char *message, bool extended, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_bodystructure how = { .message = str_from(message),
					  .extended = extended,
					  .a = &a };
	struct mime_structure st;
	struct buf b;

	mime_structure_parse(how.message, MIME_STRUCTURE_LIMITS, &a, &st);
	buf_init(&b, &a, 100000);
	mime_bodystructure_write(&b, &how, st.root);
	assert_string_equal(buf_cstr(&b), want);
}

static void a_plain_text_counts_crlf_bytes_and_lines(void **state)
{
	(void)state;
	assert_structure("Subject: x\n\none\ntwo\n", false,
			 "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 10 2)");
	assert_structure("Content-Type: TEXT/html; Charset=\"utf-8\"\n"
			 "Content-Transfer-Encoding: Quoted-Printable\n"
			 "Content-ID: <id@x>\nContent-Description: a page\nContent-MD5: abc\n"
			 "Content-Disposition: Inline; filename=\"a.html\"\n"
			 "Content-Language: en, de\nContent-Location: http://x/\n\nx",
			 true,
			 "(\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") \"<id@x>\" \"a page\" "
			 "\"QUOTED-PRINTABLE\" 1 0 \"abc\" (\"INLINE\" (\"FILENAME\" \"a.html\")) "
			 "(\"en\" \"de\") \"http://x/\")");
}

/* RFC 2046 4.1.2: the default that clients need not know. */
static void a_text_without_a_charset_is_ascii(void **state)
{
	(void)state;
	assert_structure("Content-Type: text/plain; format=flowed\n\n", false,
			 "(\"TEXT\" \"PLAIN\" (\"FORMAT\" \"flowed\" \"CHARSET\" \"us-ascii\") "
			 "NIL NIL \"7BIT\" 0 0)");
	assert_structure("Content-Type: image/png\n\n", false,
			 "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 0)");
}

/* The shape of the example in RFC 3501 7.4.2. */
static void a_multipart_lists_its_parts(void **state)
{
	static const char message[] =
		"Content-Type: multipart/mixed; boundary=b\n\n"
		"--b\nContent-Type: text/plain; charset=us-ascii\n\nhi\n"
		"--b\nContent-Type: text/plain; charset=us-ascii; name=cc.diff\n"
		"Content-ID: <960723163407.20117h@cac.washington.edu>\n"
		"Content-Description: Compiler diff\n"
		"Content-Transfer-Encoding: base64\n\naGVsbG8K\n"
		"--b--\n";

	(void)state;
	assert_structure(
		message, false,
		"((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 2 0)"
		"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\" \"NAME\" \"cc.diff\") "
		"\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 8 0) "
		"\"MIXED\")");
	assert_structure(
		message, true,
		"((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 2 0 NIL NIL NIL "
		"NIL)"
		"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\" \"NAME\" \"cc.diff\") "
		"\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 8 0 "
		"NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)");
}

static void a_multipart_without_parts_shows_an_empty_one(void **state)
{
	static const char message[] = "Content-Type: multipart/mixed; boundary=b\n\n--b--\n";

	(void)state;
	assert_structure(message, false,
			 "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 0 0) "
			 "\"MIXED\")");
	assert_structure(message, true,
			 "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 0 0 "
			 "NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)");
}

static void a_message_within_shows_its_envelope_and_structure(void **state)
{
	(void)state;
	assert_structure("Content-Type: message/rfc822\n\nSubject: inner\n\nbody\n", false,
			 "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 24 "
			 "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
			 "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 6 1) 3)");
}

static void extended_parameters_keep_their_rfc_2231_form(void **state)
{
	(void)state;
	assert_structure(
		"Content-Type: application/pdf; name*=utf-8''%C3%A4.pdf\n\n", false,
		"(\"APPLICATION\" \"PDF\" (\"NAME*\" \"utf-8''%C3%A4.pdf\") NIL NIL \"7BIT\" 0)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_text_counts_crlf_bytes_and_lines),
		cmocka_unit_test(a_text_without_a_charset_is_ascii),
		cmocka_unit_test(a_multipart_lists_its_parts),
		cmocka_unit_test(a_multipart_without_parts_shows_an_empty_one),
		cmocka_unit_test(a_message_within_shows_its_envelope_and_structure),
		cmocka_unit_test(extended_parameters_keep_their_rfc_2231_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
