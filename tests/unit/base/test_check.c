#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

static int told;

static void tell(const char *line)
{
	(void)!write(told, line, strlen(line));
}

/* Run in a child, return the line it told before it died of SIGABRT. */
static void dying_words(void (*fn)(void), char *out, size_t max)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		told = ends[1];
		signal(SIGABRT, SIG_DFL);
		check_set_handler(tell);
		fn();
		_exit(0);
	}
	close(ends[1]);
	ssize_t n = read(ends[0], out, max - 1);
	out[n > 0 ? n : 0] = '\0';
	close(ends[0]);

	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void fail_a_check(void)
{
	check(1 + 1 == 3);
}

static void a_failed_check_names_its_place_and_aborts(void **state)
{
	(void)state;
	char line[600];

	dying_words(fail_a_check, line, sizeof(line));
	assert_non_null(strstr(line, "check failed: 1 + 1 == 3 ("));
	assert_non_null(strstr(line, "test_check.c:"));
}

static void exhausted_memory_aborts(void **state)
{
	(void)state;
	char line[600];

	dying_words(check_no_memory, line, sizeof(line));
	assert_string_equal(line, "out of memory");
}

static void a_true_check_does_nothing(void **state)
{
	(void)state;
	check(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_check_names_its_place_and_aborts),
		cmocka_unit_test(exhausted_memory_aborts),
		cmocka_unit_test(a_true_check_does_nothing),
	};
	return cmocka_run_group_tests_name("base/check", tests, NULL, NULL);
}
