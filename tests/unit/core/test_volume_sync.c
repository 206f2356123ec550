/* One sync for everybody who waits. */
#include "core/volume_sync.h"

#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SESSIONS 10

static int syncs, fail_at; /* which sync fails, counted from 1; 0: none */
static int results[SESSIONS + 1];
static int directory;

/* In place of the system's. */
int syncfs(int fd)
{
	(void)fd;
	if (++syncs != fail_at)
		return 0;
	errno = EIO;
	return -1;
}

static void one(void *arg)
{
	*(int *)arg = volume_sync(directory);
}

static void many(void *unused)
{
	struct group g;

	(void)unused;
	group_init(&g);
	for (int i = 0; i < SESSIONS; i++)
		assert_int_equal(fiber_spawn(&g, "session", one, &results[i]), 0);
	assert_int_equal(group_join(&g, loop_deadline(10000)), 0);
	group_done(&g);
	results[SESSIONS] = volume_sync(directory);
}

static void run(int failing)
{
	directory = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	syncs = 0;
	fail_at = failing;
	run_in_fiber(many, NULL);
	close(directory);
}

/* The second begins when the first has ended, and counts for all that came meanwhile. */
static void sessions_share_a_sync(void **state)
{
	(void)state;
	run(0);
	assert_int_equal(syncs, 3);
	for (int i = 0; i <= SESSIONS; i++)
		assert_int_equal(results[i], 0);
}

static void a_failed_sync_fails_for_all_that_it_was_for_and_nobody_else(void **state)
{
	(void)state;
	run(2);
	assert_int_equal(results[0], 0);
	for (int i = 1; i < SESSIONS; i++)
		assert_int_equal(results[i], -EIO);
	assert_int_equal(results[SESSIONS], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sessions_share_a_sync, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(
			a_failed_sync_fails_for_all_that_it_was_for_and_nobody_else, loop_setup,
			loop_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
