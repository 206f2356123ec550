#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/map.h"

#define KEYS 2000

static char names[KEYS][8];

static struct str key(int i)
{
	return str_from(names[i]);
}

static int name_keys(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "%d", i);
	return 0;
}

static void empty_map_knows_nothing(void **state)
{
	(void)state;
	struct map m;
	map_init(&m);

	assert_null(map_get(&m, STR("x")));
	assert_null(map_remove(&m, STR("x")));
	assert_null(map_next(&m, NULL));
	map_done(&m);
}

static void put_replaces_and_returns_the_old_value(void **state)
{
	(void)state;
	struct map m;
	int one, two;
	map_init(&m);

	assert_null(map_put(&m, STR("k"), &one));
	assert_ptr_equal(map_put(&m, STR("k"), &two), &one);
	assert_ptr_equal(map_get(&m, STR("k")), &two);
	assert_int_equal(m.count, 1);
	assert_ptr_equal(map_remove(&m, STR("k")), &two);
	assert_int_equal(m.count, 0);
	map_done(&m);
}

static void keys_are_bytes_of_any_kind(void **state)
{
	(void)state;
	struct map m;
	int one, two, three;
	map_init(&m);

	map_put(&m, STR(""), &one);
	map_put(&m, str_of("a\0b", 3), &two);
	map_put(&m, STR("a"), &three);
	assert_ptr_equal(map_get(&m, STR_NONE), &one);
	assert_ptr_equal(map_get(&m, str_of("a\0b", 3)), &two);
	assert_null(map_get(&m, str_of("a\0c", 3)));
	map_done(&m);
}

/* Removal closes gaps in runs of colliding slots: compare with an array after every step. */
static void growing_and_shrinking_loses_nothing(void **state)
{
	(void)state;
	struct map m;
	static char *present[KEYS];
	size_t count = 0;
	unsigned random = 1;
	map_init(&m);

	for (int step = 0; step < 50000; step++) {
		random = random * 1103515245 + 12345;
		int i = (int)(random >> 8) % KEYS;
		if (random >> 30) {
			count += !present[i];
			assert_ptr_equal(map_put(&m, key(i), names[i]), present[i]);
			present[i] = names[i];
		} else {
			count -= !!present[i];
			assert_ptr_equal(map_remove(&m, key(i)), present[i]);
			present[i] = NULL;
		}
		assert_int_equal(m.count, count);
	}
	for (int i = 0; i < KEYS; i++)
		assert_ptr_equal(map_get(&m, key(i)), present[i]);
	map_done(&m);
}

static void walk_visits_each_entry_once(void **state)
{
	(void)state;
	struct map m;
	static int seen[KEYS];
	map_init(&m);

	for (int i = 0; i < KEYS; i++)
		map_put(&m, key(i), &seen[i]);
	for (struct map_slot *s = map_next(&m, NULL); s; s = map_next(&m, s))
		++*(int *)s->value;
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(seen[i], 1);
	map_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map_knows_nothing),
		cmocka_unit_test(put_replaces_and_returns_the_old_value),
		cmocka_unit_test(keys_are_bytes_of_any_kind),
		cmocka_unit_test(growing_and_shrinking_loses_nothing),
		cmocka_unit_test(walk_visits_each_entry_once),
	};
	return cmocka_run_group_tests_name("base/map", tests, name_keys, NULL);
}
