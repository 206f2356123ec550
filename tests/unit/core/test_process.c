#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "core/process.h"

static const char *const env[] = { "ANSWER=42", NULL };

static int run_shell(const char *script, const int *fds, unsigned n, struct process_end *end)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct process_spec spec = {
		.path = "/bin/sh", .argv = argv, .env = env, .fds = fds, .fd_count = n
	};
	struct process p;
	int r = process_spawn(&spec, &p, NULL);

	if (r == 0) {
		r = process_wait(&p, LOOP_FOREVER, end);
		process_done(&p);
	}
	return r;
}

static void look_at_exits(void *unused)
{
	(void)unused;
	struct process_end end;

	assert_int_equal(run_shell("exit $ANSWER", NULL, 0, &end), 0);
	assert_false(end.signalled);
	assert_int_equal(end.code, 42);
	assert_int_equal(run_shell("kill -9 $$", NULL, 0, &end), 0);
	assert_true(end.signalled);
	assert_int_equal(end.code, SIGKILL);
}

static void the_end_of_a_process_says_how(void **state)
{
	(void)state;
	run_in_fiber(look_at_exits, NULL);
}

static void pass_descriptors(void *unused)
{
	(void)unused;
	struct process_end end;
	int a[2], b[2];
	char got[16] = { 0 };

	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	/* 3 and 4 in the child, whatever they are here; nothing else but standard streams. */
	int fds[] = { b[1], a[1] };
	assert_int_equal(
		run_shell("echo b >&3; echo a >&4; test ! -e /proc/self/fd/5", fds, 2, &end), 0);
	assert_int_equal(end.code, 0);
	assert_int_equal(read(a[0], got, sizeof(got)), 2);
	assert_string_equal(got, "a\n");
	assert_int_equal(read(b[0], got, sizeof(got)), 2);
	assert_string_equal(got, "b\n");
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static void a_child_has_its_descriptors_and_no_others(void **state)
{
	(void)state;
	run_in_fiber(pass_descriptors, NULL);
}

static void spawn_nothing(void *unused)
{
	(void)unused;
	const char *const argv[] = { "x", NULL };
	struct process_spec spec = { .path = "/nonexistent", .argv = argv, .env = env };
	struct process p;
	struct err err;

	assert_int_equal(process_spawn(&spec, &p, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

static void a_missing_executable_is_an_error(void **state)
{
	(void)state;
	run_in_fiber(spawn_nothing, NULL);
}

/* A child that nobody started through process_spawn, as the first process of a container inherits
 * them. It has ended when this returns. */
static pid_t make_stranger(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

static bool is_zombie(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	       info.si_pid == pid;
}

static pid_t known_pid;

static bool is_known(pid_t pid)
{
	return pid == known_pid;
}

static void ended_strangers_are_collected(void **state)
{
	(void)state;
	pid_t first = make_stranger(), second = make_stranger();

	known_pid = 0;
	process_reap_strangers(is_known);
	assert_false(is_zombie(first));
	assert_false(is_zombie(second));
}

static void a_child_that_is_waited_for_is_left_alone(void **state)
{
	(void)state;
	known_pid = make_stranger();
	process_reap_strangers(is_known);
	assert_true(is_zombie(known_pid));
	assert_int_equal(waitpid(known_pid, NULL, 0), known_pid);
}

static void pauses_double_and_end_after_a_long_life(void **state)
{
	(void)state;
	struct restart_policy p = { 0 };

	assert_int_equal(restart_pause(&p, 10), 100);
	assert_int_equal(restart_pause(&p, 10), 200);
	for (int i = 0; i < 10; i++)
		restart_pause(&p, 0);
	assert_int_equal(restart_pause(&p, 0), 30000);
	assert_int_equal(restart_pause(&p, 60000), 0);
	assert_int_equal(restart_pause(&p, 10), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(the_end_of_a_process_says_how),
		fiber_test(a_child_has_its_descriptors_and_no_others),
		fiber_test(a_missing_executable_is_an_error),
		cmocka_unit_test(ended_strangers_are_collected),
		cmocka_unit_test(a_child_that_is_waited_for_is_left_alone),
		cmocka_unit_test(pauses_double_and_end_after_a_long_life),
	};
	return cmocka_run_group_tests_name("core/process", tests, NULL, NULL);
}
