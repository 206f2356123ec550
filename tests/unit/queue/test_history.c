#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "queue/history.h"
#include "queue/queue_id.h"

static void a_line_comes_back_as_it_was(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct history_line in = {
		.time_ms = 1795000000123,
		.id = 0x1234567890abcdef,
		.kind = STR("deferred"),
		.fields = { STR("a@b"), STR("mx[192.0.2.1]:25"), STR(""), STR("4.2.0"),
			    STR("450 a\tb\\x41\nc\x7f\xc3\xa9") },
	};
	struct history_line out;
	struct buf text;

	buf_init(&text, &a, HISTORY_LINE_MAX);
	history_write(&in, &text);
	struct str line = str_chomp(buf_str(&text));
	assert_true(str_find_byte(line, '\n') < 0);
	assert_true(history_parse(line, &a, &out));
	assert_int_equal(out.time_ms, in.time_ms);
	assert_true(out.id == in.id && str_eq(out.kind, in.kind));
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		assert_true(str_eq(out.fields[i], in.fields[i]));
}

static void what_is_no_line_is_not_taken_for_one(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		"1\t2\t3",
		"x\tBBBBBBBBBBBBB\tsent\t\t\t\t\t",
		"1\tnonsense\tsent\t\t\t\t\t",
		"1\tBBBBBBBBBBBBB\tsent\t\t\t\t",
		"1\tBBBBBBBBBBBBB\tsent\t\t\t\t\t\t",
	};
	auto_arena struct arena a = ARENA_INIT;
	struct history_line out;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_false(history_parse(str_from(lines[i]), &a, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_comes_back_as_it_was),
		cmocka_unit_test(what_is_no_line_is_not_taken_for_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
