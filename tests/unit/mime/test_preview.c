#include "mime/preview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mime/structure.h"

static const char *preview_of(struct arena *a, const char *message)
{
	struct mime_structure st;
	struct buf b;

	mime_structure_parse(str_from(message), MIME_STRUCTURE_LIMITS, a, &st);
	buf_init(&b, a, 1000);
	mime_preview_write(&b, str_from(message), &st, a);
	return buf_cstr(&b);
}

#define HTML "Content-Type: text/html\n\n"

/* RFC 8970 3.1. */
static void a_preview_is_the_first_words_on_one_line(void **state)
{
	static const struct {
		const char *message, *want;
	} table[] = {
		{ "Subject: x\n\n", "" },
		{ "Subject: x\n\nHi Ann,\r\n\r\n  see  you\n-- \nBob\n", "Hi Ann, see you" },
		{ "\n> old\n> older\nnew\n", "new" },
		{ "\n> old\n> older\n", "> old > older" },
		{ "Content-Type: text/plain; charset=iso-8859-1\n"
		  "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DF=\ne\n",
		  "Gr\xc3\xbc\xc3\x9f"
		  "e" },
		{ HTML "<html><head><title>T</title><style>p {}</style></head><p>One<br>two &amp; "
		       "&#x263a;&nbsp;&bogus;</p><!-- no --><script>x()</script>end",
		  "One two & \xe2\x98\xba &bogus; end" },
		{ HTML "cut < off", "cut" },
		{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n" HTML
		  "<b>html</b>\n--b\n\nplain\n--b--\n",
		  "plain" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n"
		  "--b\nContent-Disposition: attachment\n\nfile\n"
		  "--b\nContent-Type: message/rfc822\n\n\ninner\n--b\n\nouter\n--b--\n",
		  "outer" },
		{ "Content-Type: image/png\n\nxx\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_arena struct arena a = ARENA_INIT;
		assert_string_equal(preview_of(&a, table[i].message), table[i].want);
	}
}

/* RFC 8970 3.1: characters, not bytes. */
static void a_preview_has_two_hundred_characters_at_most(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, &a, 10000);
	buf_puts(&b, "Content-Type: text/plain; charset=utf-8\n\n");
	for (int i = 0; i < 300; i++)
		buf_puts(&b, "\xc3\xa4");
	assert_int_equal(strlen(preview_of(&a, buf_cstr(&b))), 2 * MIME_PREVIEW_CHARS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_preview_is_the_first_words_on_one_line),
		cmocka_unit_test(a_preview_has_two_hundred_characters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
