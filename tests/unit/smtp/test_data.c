#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "smtp/data.h"

/* Decode in blocks of `step` bytes. Returns how much was used up. */
static size_t decode(struct smtp_data *d, struct str in, size_t step, struct buf *out)
{
	size_t used = 0;
	while (used < in.n && !smtp_data_ended(d)) {
		struct smtp_pieces pieces;
		used += smtp_data_decode(d, str_sub(in, used, step), &pieces);
		for (size_t i = 0; i < pieces.count; i++)
			buf_put_str(out, pieces.v[i]);
	}
	return used;
}

struct data_case {
	struct str in, out;
	struct str left; /* behind the end; only when it ends */
	bool ends;
	unsigned found;
};

static void check_case(const struct data_case *c, enum smtp_data_policy policy, bool dots)
{
	for (size_t step = 1; step <= c->in.n; step++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_data d;
		struct buf out;
		buf_init(&out, &a, 65536);
		smtp_data_init(&d, policy, dots);
		size_t used = decode(&d, c->in, step, &out);
		assert_true(str_eq(buf_str(&out), c->out));
		assert_int_equal(d.size, c->out.n);
		assert_int_equal(smtp_data_ended(&d), c->ends);
		assert_int_equal(d.found, c->found);
		assert_true(str_eq(str_skip(c->in, used), c->left));
	}
}

static void data_ends_at_a_lone_dot_between_crlf(void **state)
{
	(void)state;
	static const struct data_case cases[] = {
		{ STR_INIT(".\r\n"), STR_INIT(""), STR_INIT(""), true, 0 },
		{ STR_INIT("a\r\n.\r\nQUIT\r\n"), STR_INIT("a\r\n"), STR_INIT("QUIT\r\n"), true,
		  0 },
		{ STR_INIT("..\r\n.\r\n"), STR_INIT(".\r\n"), STR_INIT(""), true, 0 },
		{ STR_INIT(".a\r\n..b\r\n...\r\n.\r\n"), STR_INIT("a\r\n.b\r\n..\r\n"),
		  STR_INIT(""), true, 0 },
		{ STR_INIT("a.\r\n.b.\r\n"), STR_INIT("a.\r\nb.\r\n"), STR_INIT(""), false, 0 },
		{ STR_INIT("\r\n\r\n.\r\n"), STR_INIT("\r\n\r\n"), STR_INIT(""), true, 0 },
		{ STR_INIT("\xc3\xb6\r\n.\r\n\0"), STR_INIT("\xc3\xb6\r\n"), STR_INIT("\0"), true,
		  SMTP_DATA_8BIT },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i], SMTP_DATA_STRICT, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i], SMTP_DATA_NORMALIZE, true);
}

/* Every spelling of an end of data that some server has taken for one. */
static void no_other_end_of_data_is_believed(void **state)
{
	(void)state;
	enum {
		LF = SMTP_DATA_BARE_LF,
		CR = SMTP_DATA_BARE_CR,
		NUL = SMTP_DATA_NUL,
	};
	static const struct data_case cases[] = {
		{ STR_INIT("a\n.\nX"), STR_INIT("a\r\n\r\nX"), STR_INIT(""), false, LF },
		{ STR_INIT("a\n.\r\nX"), STR_INIT("a\r\n\r\nX"), STR_INIT(""), false, LF },
		{ STR_INIT("a\r\n.\nX"), STR_INIT("a\r\n\r\nX"), STR_INIT(""), false, LF },
		{ STR_INIT("a\r.\rX"), STR_INIT("a . X"), STR_INIT(""), false, CR },
		{ STR_INIT("a\r.\r\nX"), STR_INIT("a .\r\nX"), STR_INIT(""), false, CR },
		{ STR_INIT("a\r\n.\rX"), STR_INIT("a\r\n X"), STR_INIT(""), false, CR },
		{ STR_INIT("a\n.\rX"), STR_INIT("a\r\n X"), STR_INIT(""), false, LF | CR },
		{ STR_INIT("a\r.\nX"), STR_INIT("a .\r\nX"), STR_INIT(""), false, LF | CR },
		{ STR_INIT("a\r\r\n.\r\r\nX"), STR_INIT("a \r\n \r\nX"), STR_INIT(""), false, CR },
		{ STR_INIT("a\r\n\0.\r\nX"), STR_INIT("a\r\n\0.\r\nX"), STR_INIT(""), false, NUL },
		{ STR_INIT("a\r\n.\0\r\nX"), STR_INIT("a\r\n\0\r\nX"), STR_INIT(""), false, NUL },
		{ STR_INIT("a\r\0\n.\r\nX"), STR_INIT("a \0\r\n\r\nX"), STR_INIT(""), false,
		  LF | CR | NUL },
		{ STR_INIT("a\n\r\n.\nX"), STR_INIT("a\r\n\r\n\r\nX"), STR_INIT(""), false, LF },
		{ STR_INIT("a\r\n. \r\nX"), STR_INIT("a\r\n \r\nX"), STR_INIT(""), false, 0 },
		{ STR_INIT("a\r\n\n.\r\nX"), STR_INIT("a\r\n\r\n\r\nX"), STR_INIT(""), false, LF },
		{ STR_INIT("\n.\r\n.\r\nX"), STR_INIT("\r\n\r\n"), STR_INIT("X"), true, LF },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i], SMTP_DATA_NORMALIZE, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i], SMTP_DATA_STRICT, true);
}

static void dots_mean_nothing_in_chunks(void **state)
{
	(void)state;
	static const struct data_case cases[] = {
		{ STR_INIT("a\r\n.\r\n..\r\nb"), STR_INIT("a\r\n.\r\n..\r\nb"), STR_INIT(""), false,
		  0 },
		{ STR_INIT("a\n.\r.\r\n"), STR_INIT("a\r\n. .\r\n"), STR_INIT(""), false,
		  SMTP_DATA_BARE_LF | SMTP_DATA_BARE_CR },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i], SMTP_DATA_NORMALIZE, false);
}

static void binary_chunks_pass_untouched(void **state)
{
	(void)state;
	static const struct data_case c = { STR_INIT("\r\n.\r\n\n.\n\r\r\0\xff"),
					    STR_INIT("\r\n.\r\n\n.\n\r\r\0\xff"), STR_INIT(""),
					    false, SMTP_DATA_NUL | SMTP_DATA_8BIT };
	check_case(&c, SMTP_DATA_BINARY, false);
}

static void the_last_chunk_ends_its_line(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
		{ STR_INIT("a"), STR_INIT("a\r\n") },
		{ STR_INIT("a\r"), STR_INIT("a \r\n") },
		{ STR_INIT("a\r\n"), STR_INIT("a\r\n") },
		{ STR_INIT("\r"), STR_INIT(" \r\n") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_data d;
		struct smtp_pieces last;
		struct buf out;
		buf_init(&out, &a, 100);
		smtp_data_init(&d, SMTP_DATA_NORMALIZE, false);
		assert_int_equal(decode(&d, cases[i].in, 10, &out), cases[i].in.n);
		smtp_data_finish(&d, &last);
		for (size_t p = 0; p < last.count; p++)
			buf_put_str(&out, last.v[p]);
		assert_true(str_eq(buf_str(&out), cases[i].out));
	}
}

static void the_longest_line_is_known(void **state)
{
	(void)state;
	for (size_t step = 1; step < 20; step++) {
		auto_arena struct arena a = ARENA_INIT;
		struct smtp_data d;
		struct buf out;
		buf_init(&out, &a, 100);
		smtp_data_init(&d, SMTP_DATA_STRICT, true);
		decode(&d, STR("ab\r\n..cdefg\r\nh\r\n.\r\n"), step, &out);
		assert_int_equal(d.line_max, 6);
	}
}

/* A dot at every line must not run out of pieces. */
static void more_pieces_than_fit_take_more_calls(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf in, out;
	buf_init(&in, &a, 65536);
	buf_init(&out, &a, 65536);
	for (int i = 0; i < 1000; i++)
		buf_puts(&in, "..x\n");
	buf_puts(&in, "\r\n.\r\n");

	struct smtp_data d;
	smtp_data_init(&d, SMTP_DATA_NORMALIZE, true);
	assert_int_equal(decode(&d, buf_str(&in), SIZE_MAX, &out), in.n);
	assert_true(smtp_data_ended(&d));
	assert_int_equal(out.n, 1000 * 4 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_ends_at_a_lone_dot_between_crlf),
		cmocka_unit_test(no_other_end_of_data_is_believed),
		cmocka_unit_test(dots_mean_nothing_in_chunks),
		cmocka_unit_test(binary_chunks_pass_untouched),
		cmocka_unit_test(the_last_chunk_ends_its_line),
		cmocka_unit_test(the_longest_line_is_known),
		cmocka_unit_test(more_pieces_than_fit_take_more_calls),
	};
	return cmocka_run_group_tests_name("smtp/data", tests, NULL, NULL);
}
