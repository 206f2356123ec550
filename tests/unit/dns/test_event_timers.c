#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "core/loop.h"
#include "dns/event_timers.h"

#define COUNT 500

/* Every number below COUNT once, in an order without order: 7 and COUNT have no common factor. */
static int64_t mixed(size_t i)
{
	return (int64_t)(i * 7 % COUNT);
}

static void timers_come_in_the_order_of_their_time(void **state)
{
	(void)state;
	static struct event_timer timers[COUNT];
	struct event_timers t = { 0 };

	for (size_t i = 0; i < COUNT; i++)
		event_timers_add(&t, &timers[i], mixed(i));
	for (int64_t now = 0; now < COUNT; now++) {
		assert_int_equal(event_timers_next(&t), now);
		assert_null(event_timers_take(&t, now - 1));
		struct event_timer *first = event_timers_take(&t, now);
		assert_non_null(first);
		assert_int_equal(first->when, now);
	}
	assert_int_equal(event_timers_next(&t), LOOP_FOREVER);
	assert_null(event_timers_take(&t, LOOP_FOREVER));
	event_timers_done(&t);
}

static void a_timer_that_was_removed_does_not_come(void **state)
{
	(void)state;
	static struct event_timer timers[COUNT];
	struct event_timers t = { 0 };

	for (size_t i = 0; i < COUNT; i++)
		event_timers_add(&t, &timers[i], mixed(i));
	for (size_t i = 0; i < COUNT; i++) {
		if (timers[i].when % 3)
			event_timers_remove(&t, &timers[i]);
		if (timers[i].when % 3 == 1)
			event_timers_remove(&t, &timers[i]); /* is in none */
	}
	for (int64_t expected = 0; expected < COUNT; expected += 3)
		assert_int_equal(event_timers_take(&t, COUNT)->when, expected);
	assert_null(event_timers_take(&t, COUNT));
	event_timers_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_come_in_the_order_of_their_time),
		cmocka_unit_test(a_timer_that_was_removed_does_not_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
