#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/sending_rate.h"

#define MINUTE ((int64_t)60000)
#define ALICE  STR("alice@example.org")
#define BOB    STR("bob@example.org")

static void an_account_has_so_many_recipients_in_an_hour(void **state)
{
	struct sending_rate t;
	(void)state;

	sending_rate_init(&t, 60);
	for (int i = 0; i < 60; i++)
		assert_int_equal(sending_rate_take(&t, ALICE, 1000), 0);
	/* To the millisecond: who is told of minutes hears of no extra one. */
	assert_int_equal(sending_rate_take(&t, ALICE, 1000), MINUTE);
	assert_int_equal(sending_rate_take(&t, BOB, 1000), 0);
	/* One place a minute; what was refused has not cost anything. */
	assert_int_equal(sending_rate_take(&t, ALICE, 1000 + MINUTE + 1), 0);
	assert_in_range(sending_rate_take(&t, ALICE, 1000 + MINUTE + 1), 1, MINUTE + 1);
	for (int i = 0; i < 60; i++)
		assert_int_equal(sending_rate_take(&t, ALICE, 1000 + 90 * MINUTE), 0);
	assert_true(sending_rate_take(&t, ALICE, 1000 + 90 * MINUTE) > 0);
	sending_rate_done(&t);
}

static void without_a_limit_nobody_is_counted(void **state)
{
	struct sending_rate t;
	(void)state;

	sending_rate_init(&t, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(sending_rate_take(&t, ALICE, 0), 0);
	assert_int_equal(t.accounts.count, 0);
	sending_rate_done(&t);
}

static void who_has_paid_is_forgotten_and_who_has_not_is_not(void **state)
{
	struct sending_rate t;
	char name[32];
	(void)state;

	sending_rate_init(&t, 1);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(sending_rate_take(&t, str_from(name), i * MINUTE), 0);
	}
	assert_in_range(t.accounts.count, 60, 4200);
	assert_true(sending_rate_take(&t, STR("u19990"), 20000 * MINUTE) > 0);
	sending_rate_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_has_so_many_recipients_in_an_hour),
		cmocka_unit_test(without_a_limit_nobody_is_counted),
		cmocka_unit_test(who_has_paid_is_forgotten_and_who_has_not_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
