#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/file_lines.h"
#include "base/arena.h"
#include "base/buf.h"

static void comments_and_blank_lines_do_not_count(void **state)
{
	(void)state;
	struct file_lines f;
	struct str line;

	file_lines_init(&f, STR("\xef\xbb\xbf# head\n\n  # indented\r\n one \r\n\t\ntwo"));
	assert_true(file_lines_next(&f, &line));
	assert_true(str_eq(line, STR("one")));
	assert_int_equal(f.number, 4);
	assert_true(file_lines_next(&f, &line));
	assert_true(str_eq(line, STR("two")));
	assert_int_equal(f.number, 6);
	assert_false(file_lines_next(&f, &line));
}

static void an_indented_line_continues_the_entry_across_comments(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct file_lines f;
	struct str entry;

	file_lines_init(&f, STR("a x,\n# why\n\n  y\nb z\n   # only a comment\n"));
	assert_true(file_lines_next_entry(&f, &a, &entry));
	assert_true(str_eq(entry, STR("a x, y")));
	assert_int_equal(f.number, 1);
	assert_true(file_lines_next_entry(&f, &a, &entry));
	assert_true(str_eq(entry, STR("b z")));
	assert_int_equal(f.number, 5);
	assert_false(file_lines_next_entry(&f, &a, &entry));
}

static void an_endless_entry_is_cut_at_its_limit(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct file_lines f;
	struct str entry;
	struct buf text;

	buf_init(&text, &a, 4 * FILE_LINE_MAX);
	for (unsigned i = 0; i < FILE_LINE_MAX; i++)
		buf_puts(&text, i ? " x\n" : "x\n");
	file_lines_init(&f, buf_str(&text));
	assert_true(file_lines_next_entry(&f, &a, &entry));
	assert_int_equal(entry.n, FILE_LINE_MAX - 1);
	assert_false(file_lines_next_entry(&f, &a, &entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_and_blank_lines_do_not_count),
		cmocka_unit_test(an_indented_line_continues_the_entry_across_comments),
		cmocka_unit_test(an_endless_entry_is_cut_at_its_limit),
	};
	return cmocka_run_group_tests_name("auth/file_lines", tests, NULL, NULL);
}
