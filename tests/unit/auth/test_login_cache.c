#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/login_cache.h"

static struct login_cache cache;

static const struct login_proof proof = { STR_INIT("a@b"), STR_INIT("secret"), STR_INIT("{X}y") };

static int setup(void **state)
{
	(void)state;
	login_cache_init(&cache);
	login_cache_add(&cache, &proof, 1000);
	return 0;
}

static void exactly_what_was_added_is_known_for_a_while(void **state)
{
	(void)state;
	assert_true(login_cache_has(&cache, &proof, 1000));
	assert_true(login_cache_has(&cache, &proof, 1000 + LOGIN_CACHE_KEEP - 1));
	assert_false(login_cache_has(&cache, &proof, 1000 + LOGIN_CACHE_KEEP));
}

static void any_other_proof_is_unknown(void **state)
{
	(void)state;
	static const struct login_proof others[] = {
		{ STR_INIT("a@c"), STR_INIT("secret"), STR_INIT("{X}y") },
		{ STR_INIT("a@b"), STR_INIT("secreT"), STR_INIT("{X}y") },
		{ STR_INIT("a@b"), STR_INIT("secret"), STR_INIT("{X}z") },
		{ STR_INIT("a@bs"), STR_INIT("ecret"), STR_INIT("{X}y") },
		{ STR_INIT(""), STR_INIT(""), STR_INIT("") },
	};
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(login_cache_has(&cache, &others[i], 1000));
}

static void a_cleared_cache_knows_nothing(void **state)
{
	(void)state;
	login_cache_clear(&cache);
	assert_false(login_cache_has(&cache, &proof, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(exactly_what_was_added_is_known_for_a_while, setup),
		cmocka_unit_test_setup(any_other_proof_is_unknown, setup),
		cmocka_unit_test_setup(a_cleared_cache_knows_nothing, setup),
	};
	return cmocka_run_group_tests_name("auth/login_cache", tests, NULL, NULL);
}
