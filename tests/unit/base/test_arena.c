#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	char *last = NULL;
	for (size_t n = 0; n < 200; n++) {
		char *p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_ptr_not_equal(p, last);
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, (int)n, n);
		last = p;
	}
}

static void nothing_is_held_before_the_first_use(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;

	assert_int_equal(a.total, 0);
	arena_reset(&a);
	arena_done(&a);
}

static void zalloc_gives_zeros_in_reused_memory(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	memset(arena_alloc(&a, 1000), 0xff, 1000);
	arena_reset(&a);
	unsigned char *p = arena_zalloc(&a, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
}

static void reset_keeps_one_ordinary_chunk(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	arena_alloc(&a, 10);
	size_t first = a.total;
	for (int i = 0; i < 100; i++)
		arena_alloc(&a, 10000);
	assert_true(a.total > 1000000);
	arena_reset(&a);
	assert_int_equal(a.total, first);
}

static void reset_gives_back_one_huge_chunk(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	arena_alloc(&a, 10 * 1024 * 1024);
	arena_reset(&a);
	assert_int_equal(a.total, 0);
	assert_non_null(arena_alloc(&a, 1));
}

static void array_is_zeroed_to_its_end(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	uint64_t *p = ARENA_NEW_ARRAY(&a, uint64_t, 500);
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(p[i], 0);
	assert_non_null(ARENA_NEW_ARRAY(&a, uint64_t, 0));
}

static void strings_are_copied_and_terminated(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	char bytes[] = "a\0b";

	struct str s = arena_str(&a, str_of(bytes, 3));
	bytes[0] = 'x';
	assert_true(str_eq(s, str_of("a\0b", 3)));
	assert_int_equal(s.p[3], '\0');
	assert_string_equal(arena_cstr(&a, STR_NONE), "");
	assert_string_equal(arena_cstr(&a, STR("one")), "one");
}

static void printf_fits_any_length(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;

	assert_true(str_eq(arena_printf(&a, "%d-%s", 7, "x"), STR("7-x")));
	struct str s = arena_printf(&a, "%100000d", 1);
	assert_int_equal(s.n, 100000);
	assert_int_equal(s.p[99999], '1');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_aligned_and_apart),
		cmocka_unit_test(nothing_is_held_before_the_first_use),
		cmocka_unit_test(zalloc_gives_zeros_in_reused_memory),
		cmocka_unit_test(reset_keeps_one_ordinary_chunk),
		cmocka_unit_test(reset_gives_back_one_huge_chunk),
		cmocka_unit_test(array_is_zeroed_to_its_end),
		cmocka_unit_test(strings_are_copied_and_terminated),
		cmocka_unit_test(printf_fits_any_length),
	};
	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
