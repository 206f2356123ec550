#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

static void pieces_are_appended_in_order(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 1000);

	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_put_str(&b, STR("cd"));
	buf_put(&b, "ef", 1);
	buf_put_u64(&b, 0);
	buf_put_u64(&b, UINT64_MAX);
	buf_printf(&b, "<%d>", -1);
	buf_put_str(&b, STR_NONE);
	assert_true(str_eq(buf_str(&b), STR("abcde018446744073709551615<-1>")));
	assert_false(buf_failed(&b));
}

static void maximum_is_exact(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 5);

	buf_puts(&b, "12345");
	assert_false(buf_failed(&b));
	buf_puts(&b, "");
	assert_false(buf_failed(&b));
	buf_putc(&b, '6');
	assert_true(buf_failed(&b));
	assert_true(str_eq(buf_str(&b), STR("12345")));
}

static void failure_sticks_until_cleared(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 4);

	buf_puts(&b, "12345");
	buf_puts(&b, "1");
	buf_printf(&b, "%d", 1);
	assert_int_equal(b.n, 0);
	assert_null(buf_cstr(&b));
	buf_clear(&b);
	buf_puts(&b, "1234");
	assert_string_equal(buf_cstr(&b), "1234");
}

static void printf_respects_the_maximum(void **state)
{
	(void)state;
	for (size_t max = 0; max < 200; max++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, max);
		buf_printf(&b, "%64d", 1);
		buf_printf(&b, "%s", "0123456789");
		assert_int_equal(buf_failed(&b), max < 74);
		assert_int_equal(b.n, max < 64 ? 0 : max < 74 ? 64 : 74);
	}
}

static void printf_of_nothing_into_nothing_is_fine(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 0);

	buf_printf(&b, "%s", "");
	assert_false(buf_failed(&b));
	assert_string_equal(buf_cstr(&b), "");
}

static void memory_stays_near_the_maximum(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 100000);

	for (int i = 0; i < 100000; i++)
		buf_putc(&b, 'x');
	assert_int_equal(b.n, 100000);
	assert_int_equal(b.cap, 100000);
	assert_int_equal(strlen(buf_cstr(&b)), 100000);
}

static void huge_requests_fail_whatever_the_maximum(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 1000);

	buf_puts(&b, "x");
	assert_null(buf_space(&b, SIZE_MAX));
	assert_true(buf_failed(&b));
	assert_int_equal(b.n, 1);
}

static void consume_moves_the_rest_forward(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 100);

	buf_puts(&b, "abcdef");
	buf_consume(&b, 2);
	assert_true(str_eq(buf_str(&b), STR("cdef")));
	buf_consume(&b, 0);
	buf_consume(&b, 4);
	assert_int_equal(b.n, 0);
	buf_puts(&b, "g");
	assert_true(str_eq(buf_str(&b), STR("g")));
}

static void space_is_written_by_the_caller(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 100);

	char *p = buf_space(&b, 50);
	assert_non_null(p);
	memset(p, 'y', 50);
	buf_added(&b, 3);
	assert_true(str_eq(buf_str(&b), STR("yyy")));
}

static void arena_buffer_outlives_its_done(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct buf b;
	buf_init(&b, &a, 10000);

	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "12345");
	struct str s = buf_str(&b);
	buf_done(&b);
	assert_int_equal(s.n, 5000);
	assert_memory_equal(s.p + 4995, "12345", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_appended_in_order),
		cmocka_unit_test(maximum_is_exact),
		cmocka_unit_test(failure_sticks_until_cleared),
		cmocka_unit_test(printf_respects_the_maximum),
		cmocka_unit_test(printf_of_nothing_into_nothing_is_fine),
		cmocka_unit_test(memory_stays_near_the_maximum),
		cmocka_unit_test(huge_requests_fail_whatever_the_maximum),
		cmocka_unit_test(consume_moves_the_rest_forward),
		cmocka_unit_test(space_is_written_by_the_caller),
		cmocka_unit_test(arena_buffer_outlives_its_done),
	};
	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
