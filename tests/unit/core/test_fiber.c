#include "fixture.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

struct trace {
	char text[64];
	size_t n;
};

static void note(struct trace *t, char c)
{
	if (t->n + 1 < sizeof(t->text))
		t->text[t->n++] = c;
}

static void count_three(void *arg)
{
	struct trace *t = arg;

	for (char c = '1'; c <= '3'; c++) {
		note(t, c);
		if (fiber_yield() < 0)
			return;
	}
}

static void start_two(void *arg)
{
	auto_group struct group g;

	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "a", count_three, arg), 0);
	assert_int_equal(fiber_spawn(&g, "b", count_three, arg), 0);
	assert_int_equal(group_join(&g, LOOP_FOREVER), 0);
	note(arg, '.');
}

static void fibers_take_turns_and_a_join_waits_for_all(void **state)
{
	(void)state;
	struct trace t = { 0 };

	run_in_fiber(start_two, &t);
	assert_string_equal(t.text, "112233.");
}

static void sleep_an_hour(void *arg)
{
	int64_t before = loop_now();

	assert_int_equal(fiber_sleep(3600 * 1000), 0);
	*(int64_t *)arg = loop_now() - before;
}

static void the_virtual_clock_jumps_to_the_next_deadline(void **state)
{
	(void)state;
	int64_t slept = 0;

	run_in_fiber(sleep_an_hour, &slept);
	assert_int_equal(slept, 3600 * 1000);
}

static void park_and_report(void *arg)
{
	*(int *)arg = fiber_park("nothing", loop_deadline(50));
}

static void a_wait_ends_at_its_deadline(void **state)
{
	(void)state;
	int result = 0;

	run_in_fiber(park_and_report, &result);
	assert_int_equal(result, -ETIMEDOUT);
}

static void park_under_a_limit(void *arg)
{
	int64_t outer = fiber_limit_begin(loop_deadline(20));
	int64_t inner = fiber_limit_begin(loop_deadline(500));
	int64_t before = loop_now();

	*(int *)arg = fiber_park("nothing", LOOP_FOREVER);
	assert_int_equal(loop_now() - before, 20);
	fiber_limit_end(inner);
	fiber_limit_end(outer);
}

static void nested_limits_only_shrink(void **state)
{
	(void)state;
	int result = 0;

	run_in_fiber(park_under_a_limit, &result);
	assert_int_equal(result, -ETIMEDOUT);
}

static void wait_for_ever(void *arg)
{
	int *results = arg;

	results[0] = fiber_park("for ever", LOOP_FOREVER);
	results[1] = fiber_sleep(10);
}

static void leave_a_scope_with_a_waiting_child(void *arg)
{
	auto_group struct group g;

	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "child", wait_for_ever, arg), 0);
	assert_int_equal(fiber_yield(), 0);
}

static void leaving_a_group_cancels_every_later_wait(void **state)
{
	(void)state;
	int results[2] = { 0 };

	run_in_fiber(leave_a_scope_with_a_waiting_child, results);
	assert_int_equal(results[0], -ECANCELED);
	assert_int_equal(results[1], -ECANCELED);
}

static void wait_in_queue(void *arg)
{
	struct waitq *q = arg;

	assert_int_equal(waitq_wait(q, "queue", LOOP_FOREVER), 0);
}

static void wake_waiters_in_order(void *arg)
{
	(void)arg;
	struct waitq q;
	auto_group struct group g;

	waitq_init(&q);
	group_init(&g);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fiber_spawn(&g, "waiter", wait_in_queue, &q), 0);
	assert_int_equal(fiber_yield(), 0);
	waitq_wake_one(&q);
	assert_int_equal(fiber_yield(), 0);
	assert_int_equal(g.count, 2);
	waitq_wake_all(&q);
	assert_int_equal(group_join(&g, LOOP_FOREVER), 0);
	assert_true(list_empty(&q.waiters));
}

static void a_wait_queue_wakes_one_or_all(void **state)
{
	(void)state;
	run_in_fiber(wake_waiters_in_order, NULL);
}

static void time_out_in_queue(void *arg)
{
	(void)arg;
	struct waitq q;

	waitq_init(&q);
	assert_int_equal(waitq_wait(&q, "queue", loop_deadline(5)), -ETIMEDOUT);
	assert_true(list_empty(&q.waiters));
}

static void a_waiter_that_times_out_leaves_the_queue(void **state)
{
	(void)state;
	run_in_fiber(time_out_in_queue, NULL);
}

static int add_in_thread(void *arg)
{
	int *v = arg;

	return *v + 1;
}

static void run_work(void *arg)
{
	int *v = arg;

	for (int i = 0; i < 100; i++)
		*v = work_run(add_in_thread, v);
}

static void work_runs_in_a_thread_and_returns_its_result(void **state)
{
	(void)state;
	int v = 0;

	run_in_fiber(run_work, &v);
	assert_int_equal(v, 100);
}

/* Two who do not go on before both are there. */
static sem_t arrivals[2];

static int meet(void *arg)
{
	struct timespec limit;
	int me = *(int *)arg;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 5;
	sem_post(&arrivals[me]);
	return sem_timedwait(&arrivals[!me], &limit);
}

static void go_to_meeting(void *arg)
{
	*(int *)arg = work_run(meet, arg);
}

static void work_side_by_side(void *unused)
{
	int v = 0, who[2] = { 0, 1 };
	struct group g;
	(void)unused;

	group_init(&g);
	/* One thread is there already, and idle. */
	assert_int_equal(work_run(add_in_thread, &v), 1);
	assert_int_equal(fiber_sleep(1), 0);
	for (int i = 0; i < 2; i++) {
		sem_init(&arrivals[i], 0, 0);
		assert_int_equal(fiber_spawn(&g, "meeting", go_to_meeting, &who[i]), 0);
	}
	assert_int_equal(group_join(&g, LOOP_FOREVER), 0);
	assert_int_equal(who[0], 0);
	assert_int_equal(who[1], 0);
}

static void jobs_given_at_once_run_side_by_side(void **state)
{
	(void)state;
	run_in_fiber(work_side_by_side, NULL);
}

static void remember_interrupt(void *arg)
{
	int *result = arg;

	fiber_interrupt(fiber_self());
	fiber_set_interruptible(true);
	result[0] = fiber_park("news", loop_deadline(10));
	result[1] = fiber_park("news", loop_deadline(10));
	fiber_set_interruptible(false);
}

static void an_interrupt_before_the_wait_is_not_lost(void **state)
{
	(void)state;
	int result[2];

	run_in_fiber(remember_interrupt, result);
	assert_int_equal(result[0], -EINTR);
	assert_int_equal(result[1], -ETIMEDOUT);
}

static void use_deep_stack(void *arg)
{
	volatile char deep[3000];

	memset((void *)deep, 1, sizeof(deep));
	if (*(int *)arg > 0) {
		int less = *(int *)arg - 1;
		use_deep_stack(&less);
	}
	assert_int_equal(deep[17], 1);
}

static void trim_then_go_on(void *arg)
{
	int depth = 20;

	use_deep_stack(&depth);
	fiber_trim_stack();
	use_deep_stack(&depth);
	*(int *)arg = 1;
}

static void a_trimmed_stack_can_be_used_again(void **state)
{
	(void)state;
	int done = 0;

	run_in_fiber(trim_then_go_on, &done);
	assert_int_equal(done, 1);
}

static void many_at_once(void *arg)
{
	auto_group struct group g;
	struct trace t = { 0 };
	int refused = 0;
	(void)arg;

	group_init(&g);
	fiber_set_limit(1000);
	for (int i = 0; i < 1200; i++)
		refused += fiber_spawn(&g, "many", count_three, &t) == -EAGAIN;
	assert_int_equal(refused, 201);
	assert_int_equal(group_join(&g, LOOP_FOREVER), 0);
	fiber_set_limit(20000);
}

static void the_number_of_fibers_is_limited(void **state)
{
	(void)state;
	run_in_fiber(many_at_once, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(fibers_take_turns_and_a_join_waits_for_all),
		fiber_test(the_virtual_clock_jumps_to_the_next_deadline),
		fiber_test(a_wait_ends_at_its_deadline),
		fiber_test(nested_limits_only_shrink),
		fiber_test(leaving_a_group_cancels_every_later_wait),
		fiber_test(a_wait_queue_wakes_one_or_all),
		fiber_test(a_waiter_that_times_out_leaves_the_queue),
		fiber_test(work_runs_in_a_thread_and_returns_its_result),
		fiber_test(jobs_given_at_once_run_side_by_side),
		fiber_test(an_interrupt_before_the_wait_is_not_lost),
		fiber_test(a_trimmed_stack_can_be_used_again),
		fiber_test(the_number_of_fibers_is_limited),
	};
	return cmocka_run_group_tests_name("core/fiber", tests, NULL, NULL);
}
