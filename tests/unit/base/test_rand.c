#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rand.h"

static void bytes_are_filled_to_the_end(void **state)
{
	(void)state;
	unsigned char b[64], any[64] = { 0 };

	for (int round = 0; round < 20; round++) {
		rand_bytes(b, sizeof(b));
		for (size_t i = 0; i < sizeof(b); i++)
			any[i] |= b[i];
	}
	for (size_t i = 0; i < sizeof(any); i++)
		assert_int_not_equal(any[i], 0);
	rand_bytes(b, 0);
}

static void numbers_differ_and_the_seed_does_not(void **state)
{
	(void)state;
	assert_true(rand_u64() != rand_u64());
	assert_true(rand_seed() == rand_seed());
	assert_true(rand_seed() != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_filled_to_the_end),
		cmocka_unit_test(numbers_differ_and_the_seed_does_not),
	};
	return cmocka_run_group_tests_name("base/rand", tests, NULL, NULL);
}
