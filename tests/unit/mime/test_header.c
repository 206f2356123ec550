#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "mime/header.h"

#define assert_str(got, want)                                                                      \
	do {                                                                                       \
		struct str got_ = (got);                                                           \
		assert_int_equal(got_.n, strlen(want));                                            \
		assert_memory_equal(got_.p, want, got_.n);                                         \
	} while (0)

static void fields_come_in_order_until_the_empty_line(void **state)
{
	(void)state;
	struct mime_header_iter it;
	struct mime_field f;
	mime_header_begin(&it, STR("From: a@b\r\nSubject:\tone\r\n two\r\nTo :c@d\r\n\r\nbody"),
			  MIME_HEADER_NO_LIMITS);

	assert_int_equal(mime_header_next(&it, &f), 1);
	assert_str(f.name, "From");
	assert_str(f.value, " a@b");
	assert_str(f.whole, "From: a@b\r\n");
	assert_int_equal(mime_header_next(&it, &f), 1);
	assert_str(f.name, "Subject");
	assert_str(f.value, "\tone\r\n two");
	assert_int_equal(mime_header_next(&it, &f), 1);
	assert_str(f.name, "To");
	assert_str(f.value, "c@d");
	assert_int_equal(mime_header_next(&it, &f), 0);
	assert_str(it.rest, "body");
	assert_int_equal(mime_header_next(&it, &f), 0);
}

static void lines_that_are_no_fields_are_reported_and_skipped(void **state)
{
	(void)state;
	static const struct {
		const char *message;
		const char *kinds; /* f: field, g: garbage */
		const char *body;
	} cases[] = {
		{ "From x@y Mon Jan  1\nA: b\n\nx", "gf", "x" },
		{ " folded nothing\nA: b\n\nx", "gf", "x" },
		{ "no colon\n continued\nA: b\n\n", "ggf", "" },
		{ ": no name\nA:\n\n\nx", "gf", "\nx" },
		{ "A b: c\n", "g", "" },
		{ "\xc3\xa4: c\nB:c", "gf", "" },
		{ "A: b\r\n \r\n\r\nx", "f", "x" },
		{ "A: b\n\r\r\nB: c\n\nx", "fgf", "x" },
		{ "\nA: b\n", "", "A: b\n" },
		{ "", "", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_header_iter it;
		struct mime_field f;
		struct str message = str_from(cases[i].message);
		mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
		for (const char *kind = cases[i].kinds; *kind; kind++) {
			assert_int_equal(mime_header_next(&it, &f), 1);
			assert_int_equal(f.is_garbage, *kind == 'g');
		}
		assert_int_equal(mime_header_next(&it, &f), 0);
		assert_str(it.rest, cases[i].body);
		assert_int_equal(mime_header_size(message), message.n - it.rest.n);
	}
}

static void a_field_is_found_by_name_in_any_case(void **state)
{
	(void)state;
	struct str message = STR("Received: 1\nX: 2\nRECEIVED: 3\n\nreceived: 4\n");
	struct mime_field f;
	assert_true(mime_header_find(message, STR("received"), &f));
	assert_str(f.value, " 1");
	assert_false(mime_header_find(message, STR("receive"), &f));

	struct mime_header_iter it;
	mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
	assert_int_equal(mime_header_next_named(&it, STR("received"), &f), 1);
	assert_int_equal(mime_header_next_named(&it, STR("received"), &f), 1);
	assert_str(f.value, " 3");
	assert_int_equal(mime_header_next_named(&it, STR("received"), &f), 0);
}

static void unfolding_removes_line_ends_only(void **state)
{
	(void)state;
	static const struct {
		const char *value, *unfolded;
	} cases[] = {
		{ " plain ", "plain" },
		{ " a\r\n b", "a b" },
		{ "\n\ta\n  b\n c\n", "a  b c" },
		{ "", "" },
		{ "\r\n ", "" },
	};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(mime_field_unfold(str_from(cases[i].value), &a), cases[i].unfolded);
}

static void a_header_beyond_a_limit_is_too_big(void **state)
{
	(void)state;
	static const struct {
		struct mime_header_limits limits;
		int fields; /* that fit */
	} cases[] = {
		{ { 3, 100, 100 }, 3 }, { { 2, 100, 100 }, 2 }, { { 3, 8, 100 }, 1 },
		{ { 3, 9, 100 }, 3 },	{ { 3, 100, 23 }, 2 },	{ { 3, 100, 24 }, 3 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_header_iter it;
		struct mime_field f;
		mime_header_begin(&it, STR("A: 1\nB: 2\n 3456789\nC: 3\n\n"), cases[i].limits);
		for (int n = 0; n < cases[i].fields; n++)
			assert_int_equal(mime_header_next(&it, &f), 1);
		int end = cases[i].fields == 3 ? 0 : -E2BIG;
		assert_int_equal(mime_header_next(&it, &f), end);
		assert_int_equal(mime_header_next(&it, &f), end);
	}
}

/* Feed `message` in pieces of `step` bytes; how many bytes were header, or the error. */
static ssize_t scan_in_steps(struct mime_header_scan *s, struct str message, size_t step)
{
	ssize_t total = 0;
	for (size_t at = 0; at < message.n && !s->ended; at += step) {
		ssize_t n = mime_header_scan(s, str_sub(message, at, step));
		if (n < 0)
			return n;
		total += n;
	}
	return total;
}

static void the_scanner_counts_what_the_iterator_finds_in_pieces_of_any_size(void **state)
{
	(void)state;
	struct str message = STR("From x\r\nReceived: a\r\n\tReceived: b\r\nRECEIVED : c\r\n"
				 " junk\r\nX-Received: d\nno colon\n received: e\n"
				 "Date: f\r\n\r\nReceived: g\r\n");
	for (size_t step = 1; step <= message.n; step++) {
		struct mime_header_watch watch[] = { { STR("Received"), 0 }, { STR("Date"), 0 } };
		struct mime_header_scan s;
		mime_header_scan_init(&s, MIME_HEADER_NO_LIMITS, watch, 2);
		assert_int_equal(scan_in_steps(&s, message, step), mime_header_size(message));
		assert_true(s.ended);
		assert_int_equal(watch[0].count, 2);
		assert_int_equal(watch[1].count, 1);
		assert_int_equal(s.fields, 4);
		assert_int_equal(s.garbage, 3);
		assert_int_equal(s.total, mime_header_size(message));
	}
}

static void the_scanner_stops_at_its_limits(void **state)
{
	(void)state;
	static const struct {
		struct mime_header_limits limits;
		ssize_t result;
	} cases[] = {
		{ { 2, 7, 13 }, 13 },
		{ { 1, 7, 13 }, -E2BIG },
		{ { 2, 6, 13 }, -E2BIG },
		{ { 2, 7, 12 }, -E2BIG },
	};
	struct str message = STR("A: bcd\nB: c\n\nbody of any length");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t step = 1; step < 9; step++) {
			struct mime_header_scan s;
			mime_header_scan_init(&s, cases[i].limits, NULL, 0);
			assert_int_equal(scan_in_steps(&s, message, step), cases[i].result);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_in_order_until_the_empty_line),
		cmocka_unit_test(lines_that_are_no_fields_are_reported_and_skipped),
		cmocka_unit_test(a_field_is_found_by_name_in_any_case),
		cmocka_unit_test(unfolding_removes_line_ends_only),
		cmocka_unit_test(a_header_beyond_a_limit_is_too_big),
		cmocka_unit_test(the_scanner_counts_what_the_iterator_finds_in_pieces_of_any_size),
		cmocka_unit_test(the_scanner_stops_at_its_limits),
	};
	return cmocka_run_group_tests_name("mime/header", tests, NULL, NULL);
}
