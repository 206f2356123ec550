#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "smtp/parts.h"

#define MIXED	 "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
#define TELLTALE "User-Agent: x\r\n"

static const struct smtp_head_cleaning cleaning = { .submitted = true };

static void pass(struct smtp_parts *p, struct str body, size_t step, struct buf *out)
{
	for (size_t at = 0; at < body.n; at += step) {
		struct str rest = str_sub(body, at, step), piece;
		while (rest.n) {
			bool header;
			rest = str_skip(rest, smtp_parts_feed(p, rest, &piece, &header));
			buf_put_str(out, piece);
		}
	}
	buf_put_str(out, smtp_parts_finish(p));
}

static void expect(const char *header, const char *body, const char *expected)
{
	for (size_t step = 1; step <= strlen(body) + 1; step++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_parts p;
		struct buf out;

		buf_init(&out, &a, 1 << 20);
		smtp_parts_init(&p, &cleaning, str_from(header));
		pass(&p, str_from(body), step, &out);
		smtp_parts_done(&p);
		buf_cstr(&out);
		assert_string_equal(out.p, expected);
	}
}

struct example {
	const char *header, *body, *expected;
};

static void headers_of_parts_are_cleaned(void **state)
{
	static const struct example cases[] = {
		{ MIXED, "pre\r\n--b\r\n" TELLTALE "A: 1\r\n\r\n" TELLTALE "--b--\r\n" TELLTALE,
		  "pre\r\n--b\r\nA: 1\r\n\r\n" TELLTALE "--b--\r\n" TELLTALE },
		/* Folded, respelled, and without a body behind it. */
		{ MIXED, "--b\r\nX-Mailer: a\r\n b\r\nmime-version: 1.0 (x)\r\n--b\r\n" TELLTALE,
		  "--b\r\nMIME-Version: 1.0\r\n--b\r\n" },
		/* Blind copies and results are no matter of parts. */
		{ MIXED, "--b\r\nBcc: a@b\r\nContent-Length: 1\r\n\r\n",
		  "--b\r\nBcc: a@b\r\nContent-Length: 1\r\n\r\n" },
		{ MIXED, "--b \t\r\n" TELLTALE "\r\n", "--b \t\r\n\r\n" },
		/* Lines that are no boundary. */
		{ MIXED, "--bb\r\n" TELLTALE "\r\n -\r\n--b x\r\n" TELLTALE,
		  "--bb\r\n" TELLTALE "\r\n -\r\n--b x\r\n" TELLTALE },
		{ MIXED, "x--b\r\n" TELLTALE, "x--b\r\n" TELLTALE },
		{ "A: b\r\n\r\n", "--b\r\n" TELLTALE, "--b\r\n" TELLTALE },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(cases[i].header, cases[i].body, cases[i].expected);
}

static void parts_are_found_in_parts_and_messages(void **state)
{
	static const struct example cases[] = {
		{ MIXED,
		  "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
		  "--c\r\n" TELLTALE "\r\n1\r\n--c--\r\n--c\r\n" TELLTALE "--b\r\n" TELLTALE "\r\n",
		  "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
		  "--c\r\n\r\n1\r\n--c--\r\n--c\r\n" TELLTALE "--b\r\n\r\n" },
		{ MIXED,
		  "--b\r\nContent-Type: message/rfc822\r\n\r\n" TELLTALE
		  "Received: from x by y with ESMTPSA id z\r\nReceived: from a\r\n\r\n" TELLTALE,
		  "--b\r\nContent-Type: message/rfc822\r\n\r\nReceived: from a\r\n\r\n" TELLTALE },
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n",
		  "--b\r\n\r\n" TELLTALE "\r\n--b\r\nContent-Type: text/plain\r\n\r\n" TELLTALE,
		  "--b\r\n\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" TELLTALE },
		{ "Content-Type: message/rfc822\r\n\r\n", TELLTALE "\r\n", "\r\n" },
		/* What is encoded is no message to us. */
		{ MIXED,
		  "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n"
		  "\r\n" TELLTALE,
		  "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n"
		  "\r\n" TELLTALE },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(cases[i].header, cases[i].body, cases[i].expected);
}

static void what_is_signed_stays_as_it_is(void **state)
{
	static const char body[] = "--b\r\n" TELLTALE "\r\n1\r\n--b--\r\n";
	(void)state;

	expect("Content-Type: multipart/signed; boundary=b\r\n\r\n", body, body);
	expect(MIXED,
	       "--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n" TELLTALE
	       "\r\n--b\r\n" TELLTALE "\r\n",
	       "--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n" TELLTALE
	       "\r\n--b\r\n\r\n");
}

static void what_is_too_large_or_too_deep_passes(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct smtp_parts p;
	struct buf body, out;
	(void)state;

	buf_init(&body, &a, 1 << 20);
	buf_init(&out, &a, 1 << 20);
	buf_puts(&body, "--b\r\n" TELLTALE "A: ");
	for (int i = 0; i < 70000; i++)
		buf_putc(&body, 'x');
	buf_puts(&body, "\r\n\r\n");
	for (int i = 0; i < 2 * SMTP_PARTS_DEPTH; i++)
		buf_printf(&body,
			   "--b\r\nContent-Type: multipart/mixed; "
			   "boundary=b%d\r\n\r\n--b%d\r\n" TELLTALE
			   "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			   i, i);
	smtp_parts_init(&p, &cleaning, STR(MIXED));
	pass(&p, buf_str(&body), 1000, &out);
	smtp_parts_done(&p);
	assert_int_equal(str_find(buf_str(&out), STR(TELLTALE)), 5);
	assert_true(out.n < body.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_parts_are_cleaned),
		cmocka_unit_test(parts_are_found_in_parts_and_messages),
		cmocka_unit_test(what_is_signed_stays_as_it_is),
		cmocka_unit_test(what_is_too_large_or_too_deep_passes),
	};
	return cmocka_run_group_tests_name("smtp/parts", tests, NULL, NULL);
}
