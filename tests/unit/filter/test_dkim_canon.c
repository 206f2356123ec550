#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/dkim_canon.h"

static void collect(void *ctx, struct str bytes)
{
	buf_put_str(ctx, bytes);
}

static void canonicalize(enum dkim_canon canon, struct str body, size_t step, struct buf *out)
{
	struct dkim_canon_body b;

	dkim_canon_body_init(&b, canon, collect, out);
	for (size_t at = 0; at < body.n; at += step)
		dkim_canon_body_feed(&b, str_sub(body, at, step));
	dkim_canon_body_end(&b);
}

static void assert_body(enum dkim_canon canon, const char *body, const char *expected)
{
	struct str in = str_from(body);

	for (size_t step = 1; step <= in.n + 1; step++) {
		auto_buf struct buf out;
		buf_init(&out, NULL, 65536);
		canonicalize(canon, in, step, &out);
		assert_int_equal(out.n, strlen(expected));
		assert_memory_equal(out.p ? out.p : "", expected, out.n);
	}
}

/* With every way to cut the body into pieces of one size. */
static void bodies(void **state)
{
	(void)state;
	static const struct {
		const char *body, *simple, *relaxed;
	} cases[] = {
		/* RFC 6376 3.4.5 */
		{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" },
		{ "", "\r\n", "" },
		{ "\r\n", "\r\n", "" },
		{ "\r\n\r\n", "\r\n", "" },
		{ " \t\r\n", " \t\r\n", "" },
		{ "a", "a\r\n", "a\r\n" },
		{ "a ", "a \r\n", "a\r\n" },
		{ "a\r\n\r\nb", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n" },
		{ "\r\na\r\n", "\r\na\r\n", "\r\na\r\n" },
		{ "a\r\n \r\n\r\n", "a\r\n \r\n", "a\r\n" },
		{ "a\r", "a\r\r\n", "a\r\r\n" },
		{ "a\rb\nc\r\r\n", "a\rb\nc\r\r\n", "a\rb\nc\r\r\n" },
		{ "a \r b", "a \r b\r\n", "a \r b\r\n" },
		{ "\r\r\r\n\r\n", "\r\r\r\n", "\r\r\r\n" },
		{ "a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n" },
		{ "a b  c\r\nd \r\n e\r\n\nf \ng", "a b  c\r\nd \r\n e\r\n\nf \ng\r\n",
		  "a b c\r\nd\r\n e\r\n\nf \ng\r\n" },
		{ " a\tb\r\n\r\n c", " a\tb\r\n\r\n c\r\n", " a b\r\n\r\n c\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_body(DKIM_SIMPLE, cases[i].body, cases[i].simple);
		assert_body(DKIM_RELAXED, cases[i].body, cases[i].relaxed);
	}
}

static void long_bodies_pass_through_the_small_buffer(void **state)
{
	(void)state;
	auto_buf struct buf body, out;

	buf_init(&body, NULL, 100000);
	buf_init(&out, NULL, 100000);
	for (int i = 0; i < 5000; i++)
		buf_printf(&body, "line %d\r\n", i);
	canonicalize(DKIM_RELAXED, buf_str(&body), 777, &out);
	assert_true(str_eq(buf_str(&out), buf_str(&body)));
	buf_clear(&out);
	canonicalize(DKIM_SIMPLE, buf_str(&body), 7777, &out);
	assert_true(str_eq(buf_str(&out), buf_str(&body)));
}

static void fields(void **state)
{
	(void)state;
	static const struct {
		const char *field, *relaxed;
	} cases[] = {
		/* RFC 6376 3.4.5 */
		{ "A: X", "a:X" },
		{ "B : Y\t\r\n\tZ  ", "b:Y Z" },
		{ "Subject:", "subject:" },
		{ "Subject: \r\n ", "subject:" },
		{ "SUBJect:a\r\n b\r\n\t\tc", "subject:a b c" },
		{ "X: a:b", "x:a:b" },
		{ "X: a\n b", "x:a b" },
		{ "X: \xc3\xa4 \xff", "x:\xc3\xa4 \xff" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf out;
		buf_init(&out, NULL, 1000);
		dkim_canon_field(&out, DKIM_RELAXED, str_from(cases[i].field));
		assert_string_equal(buf_cstr(&out), cases[i].relaxed);
		buf_clear(&out);
		dkim_canon_field(&out, DKIM_SIMPLE, str_from(cases[i].field));
		assert_string_equal(buf_cstr(&out), cases[i].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(long_bodies_pass_through_the_small_buffer),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
