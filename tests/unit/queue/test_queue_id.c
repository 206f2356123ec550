#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "queue/queue_id.h"

static void text_and_number_are_the_same_id(void **state)
{
	(void)state;
	static const struct {
		uint64_t id;
		const char *text;
	} cases[] = {
		{ 0, "0000000000000" },	       { 31, "000000000000c" },
		{ 32, "0000000000010" },       { UINT64_MAX, "Hcccccccccccc" },
		{ 1u << 12, "0000000000400" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t id;

		assert_string_equal(queue_id_text(cases[i].id).c, cases[i].text);
		assert_int_equal(queue_id_parse(str_from(cases[i].text), &id), 0);
		assert_true(id == cases[i].id);
	}
}

static void foreign_text_is_no_id(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"000000000000",
		"00000000000000",
		"000000000000A",
		"000000000000L",
		"J000000000000",
		"000000000000d",
		"000000 000000",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t id;
		assert_int_equal(queue_id_parse(str_from(cases[i]), &id), -EINVAL);
	}
	uint64_t id;
	assert_int_equal(queue_id_parse(str_of("000000\0000000", 13), &id), -EINVAL);
}

static void text_sorts_like_the_number(void **state)
{
	(void)state;
	uint64_t id = 12345;

	for (int i = 0; i < 1000; i++) {
		uint64_t next = id + 1 + (uint64_t)i * i * i * 7919;
		assert_true(strcmp(queue_id_text(id).c, queue_id_text(next).c) < 0);
		id = next;
	}
}

static void ids_grow_within_one_microsecond(void **state)
{
	(void)state;
	struct queue_id_gen g;
	uint64_t last = 0;

	queue_id_gen_init(&g, 3);
	for (int i = 0; i < 1000; i++) {
		uint64_t id = queue_id_next_at(&g, 1000);
		assert_true(id > last);
		assert_int_equal(id >> 8 & 15, 3);
		last = id;
	}
	assert_int_equal(queue_id_usec(last), 1003);
}

static void ids_grow_when_the_clock_is_set_back(void **state)
{
	(void)state;
	struct queue_id_gen g;

	queue_id_gen_init(&g, 0);
	uint64_t first = queue_id_next_at(&g, 2000);
	assert_true(queue_id_next_at(&g, 1000) > first);
	assert_int_equal(queue_id_usec(queue_id_next_at(&g, 3000)), 3000);
}

static void instances_never_make_the_same_id(void **state)
{
	(void)state;
	struct queue_id_gen a, b;

	queue_id_gen_init(&a, 0);
	queue_id_gen_init(&b, QUEUE_ID_INSTANCE_SELF);
	for (int i = 0; i < 600; i++)
		assert_true(queue_id_next_at(&a, 7) != queue_id_next_at(&b, 7));
	assert_true(queue_id_next(&a) != queue_id_next(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_number_are_the_same_id),
		cmocka_unit_test(foreign_text_is_no_id),
		cmocka_unit_test(text_sorts_like_the_number),
		cmocka_unit_test(ids_grow_within_one_microsecond),
		cmocka_unit_test(ids_grow_when_the_clock_is_set_back),
		cmocka_unit_test(instances_never_make_the_same_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
