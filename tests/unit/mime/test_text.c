#include "mime/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mime/structure.h"

static bool put(void *ctx, enum mime_text_place place, struct str folded, bool end)
{
	struct buf *b = ctx;

	buf_puts(b, place == MIME_TEXT_HEAD ? "h:" : "b:");
	buf_put_str(b, folded);
	if (end)
		buf_putc(b, '|');
	return true;
}

static const char *text_of(struct arena *a, const char *message, bool heads)
{
	struct mime_structure st;
	struct buf b;

	mime_structure_parse(str_from(message), MIME_STRUCTURE_LIMITS, a, &st);
	buf_init(&b, a, 10000);
	assert_true(mime_text_message(str_from(message), &st, heads, put, &b));
	return buf_cstr(&b);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static void text_is_decoded_and_folded(void **state)
{
	auto_arena struct arena a = ARENA_INIT;

	(void)state;
	assert_string_equal(text_of(&a,
				    "Content-Type: text/plain; charset=iso-8859-1\n"
				    "Content-Transfer-Encoding: quoted-printable\n\n"
				    "M=FCn=\nchen\r\nx",
				    false),
			    "b:MUNCHEN\nX|");
	assert_string_equal(text_of(&a, "Content-Type: text/html\n\n<b>a</b>&amp;", false),
			    "b:A&|");
	assert_string_equal(text_of(&a, "Content-Type: image/png\n\nxx", false), "");
}

static void headers_are_told_apart_from_bodies(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	static const char message[] =
		"Subject: =?utf-8?q?=C3=BC?=\n x\nDKIM-Signature: b=abc\n" MIXED
		"--b\nContent-Type: text/plain\n\none\n"
		"--b\nContent-Type: message/rfc822\n\nSubject: in\n\ntwo\n--b--\n";

	(void)state;
	assert_string_equal(text_of(&a, message, true),
			    "h:SUBJECT: U X|h:CONTENT-TYPE: MULTIPART/MIXED; BOUNDARY=B|"
			    "h:CONTENT-TYPE: TEXT/PLAIN|b:ONE|h:CONTENT-TYPE: MESSAGE/RFC822|"
			    "b:SUBJECT: IN|b:TWO|");
	assert_string_equal(text_of(&a, message, false), "b:ONE|b:SUBJECT: IN|b:TWO|");
}

static bool enough(void *ctx, enum mime_text_place place, struct str folded, bool end)
{
	(void)place, (void)folded, (void)end;
	++*(int *)ctx;
	return false;
}

static void nothing_is_read_when_enough_was_seen(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mime_structure st;
	struct str message = STR("A: 1\nB: 2\n\nbody\n");
	int calls = 0;

	(void)state;
	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, &a, &st);
	assert_false(mime_text_message(message, &st, true, enough, &calls));
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_decoded_and_folded),
		cmocka_unit_test(headers_are_told_apart_from_bodies),
		cmocka_unit_test(nothing_is_read_when_enough_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
