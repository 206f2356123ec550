#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "auth/login_throttle.h"

static struct login_throttle throttle;

static int setup(void **state)
{
	(void)state;
	memset(&throttle, 0, sizeof(throttle));
	login_throttle_init(&throttle);
	return 0;
}

static int64_t begin(const char *user, const char *client, int64_t now)
{
	struct login_attempt a;
	return login_throttle_begin(&throttle, str_from(user), str_from(client), now, &a);
}

static void the_first_attempts_are_free_then_the_pause_grows_to_its_maximum(void **state)
{
	(void)state;
	static const int64_t pauses[] = { 2000, 4000, 8000, 15000, 15000 };

	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(begin("u", "c", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		assert_int_equal(begin("u", "c", 1), pauses[i]);
	assert_int_equal(begin("other", "c", 1), 0);
	assert_int_equal(begin("u", "elsewhere", 1), 0);
}

static void a_success_frees_the_pair(void **state)
{
	(void)state;
	struct login_attempt a;

	for (unsigned i = 0; i < 12; i++)
		login_throttle_begin(&throttle, STR("u"), STR("c"), 1, &a);
	login_throttle_succeeded(&throttle, &a);
	assert_int_equal(begin("u", "c", 2), 0);
}

static void an_attempt_that_was_not_checked_counts_as_none(void **state)
{
	(void)state;
	struct login_attempt a;

	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(login_throttle_begin(&throttle, STR("u"), STR("c"), 1, &a), 0);
		login_throttle_forget(&throttle, &a);
	}
}

static void a_client_that_tries_many_users_waits_too(void **state)
{
	(void)state;
	char user[16];

	for (unsigned i = 0; i < 50; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(begin(user, "c", 1), 0);
	}
	assert_int_equal(begin("one more", "c", 1), 2000);
	assert_int_equal(begin("one more", "other client", 1), 0);
}

static void quiet_minutes_are_forgiven(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		begin("u", "c", 1);
	assert_int_equal(begin("u", "c", 10 * 60 * 1000 + 2), 0);
}

static void a_million_invented_users_fit_the_table(void **state)
{
	(void)state;
	char user[16];

	for (unsigned i = 0; i < 1000000; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		begin(user, "c", 1);
	}
	assert_int_equal(begin("u", "c", 1), 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			the_first_attempts_are_free_then_the_pause_grows_to_its_maximum, setup),
		cmocka_unit_test_setup(a_success_frees_the_pair, setup),
		cmocka_unit_test_setup(an_attempt_that_was_not_checked_counts_as_none, setup),
		cmocka_unit_test_setup(a_client_that_tries_many_users_waits_too, setup),
		cmocka_unit_test_setup(quiet_minutes_are_forgiven, setup),
		cmocka_unit_test_setup(a_million_invented_users_fit_the_table, setup),
	};
	return cmocka_run_group_tests_name("auth/login_throttle", tests, NULL, NULL);
}
