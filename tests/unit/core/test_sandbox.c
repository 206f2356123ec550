#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/sandbox.h"

static char tree[64], inside[96], outside[96];

static int setup(void **state)
{
	(void)state;
	snprintf(tree, sizeof(tree), "/tmp/posthorn-sandbox-XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	snprintf(inside, sizeof(inside), "%s/in", tree);
	snprintf(outside, sizeof(outside), "%s/out", tree);
	return mkdir(inside, 0700) < 0 || mkdir(outside, 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", tree);
	return system(command);
}

#define PATHS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Run `body` behind the policy in a child. It returns 0, or the line that failed. The result is the
 * wait status. */
static int run(const struct sandbox_policy *p, int (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		struct err err;
		if (sandbox_enter(p, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(1);
		}
		_exit(body() ? 2 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			dprintf(2, "line %d: %s: %s\n", __LINE__, #x, strerror(errno));            \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static bool can_open(const char *dir, const char *name, int flags)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	auto_close int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0;
}

static int use_paths(void)
{
	char a[256], b[256];
	snprintf(a, sizeof(a), "%s/dir", inside);
	snprintf(b, sizeof(b), "%s/dir/b", inside);

	EXPECT(can_open(inside, "a", O_CREAT | O_WRONLY));
	EXPECT(can_open(inside, "a", O_RDONLY));
	EXPECT(can_open(inside, "", O_TMPFILE | O_RDWR));
	EXPECT(mkdir(a, 0700) == 0);
	snprintf(a, sizeof(a), "%s/a", inside);
	EXPECT(rename(a, b) == 0);
	EXPECT(unlink(b) == 0);

	EXPECT(!can_open(outside, "a", O_CREAT | O_WRONLY) && errno == EACCES);
	EXPECT(!can_open("/etc", "passwd", O_RDONLY) && errno == EACCES);
	EXPECT(can_open("/etc", "hostname", O_RDONLY));
	EXPECT(!can_open("/etc", "hostname", O_WRONLY));
	return 0;
}

static void only_the_paths_of_the_policy_open(void **state)
{
	(void)state;
	const struct sandbox_policy p = { .profile = SANDBOX_FILES,
					  .read = PATHS("/etc/hostname", "/nonexistent"),
					  .write = PATHS(inside) };
	assert_int_equal(run(&p, use_paths), 0);
}

/* Lock files name their holder: is it still there? */
static int ask_for_processes(void)
{
	EXPECT(kill(getpid(), 0) == 0);
	EXPECT(kill(INT32_MAX - 1, 0) < 0 && errno == ESRCH);
	return 0;
}

static void who_has_files_may_ask_whether_a_process_lives(void **state)
{
	(void)state;
	assert_int_equal(
		run(&(struct sandbox_policy){ .profile = SANDBOX_FILES }, ask_for_processes), 0);
}

static int use_calls(void)
{
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	EXPECT(mkdir("/tmp/x", 0700) < 0 && errno == EPERM);
	EXPECT(setsid() < 0 && errno == EPERM);

	int pair[2];
	EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	EXPECT(send(pair[0], "x", 1, 0) == 1);

	struct rlimit core;
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
	time_t now = time(NULL);
	struct tm tm;
	EXPECT(localtime_r(&now, &tm));
	return 0;
}

static void calls_outside_the_profile_are_refused(void **state)
{
	(void)state;
	assert_int_equal(run(&(struct sandbox_policy){ .profile = SANDBOX_SERVER }, use_calls), 0);
}

/* The roles run as one user: whoever has one must not be able to end or starve the others. */
static int reach_for_others(void)
{
	struct rlimit l;

	EXPECT(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
	EXPECT(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 && errno == EPERM);
	EXPECT(prlimit(0, RLIMIT_NOFILE, NULL, &l) == 0);
	EXPECT(prlimit(getppid(), RLIMIT_NOFILE, NULL, &l) < 0 && errno == EPERM);
	return 0;
}

static void other_processes_are_out_of_reach(void **state)
{
	(void)state;
	const struct sandbox_policy p = { .profile = SANDBOX_SERVER | SANDBOX_FILES };
	assert_int_equal(run(&p, reach_for_others), 0);
}

static void *work(void *arg)
{
	int *done = arg;
	free(malloc(100000));
	*done = 1;
	return NULL;
}

static int start_thread(void)
{
	pthread_t t;
	int done = 0;
	EXPECT(pthread_create(&t, NULL, work, &done) == 0);
	EXPECT(pthread_join(t, NULL) == 0 && done);
	return 0;
}

static void threads_can_be_started(void **state)
{
	(void)state;
	assert_int_equal(run(&(struct sandbox_policy){ 0 }, start_thread), 0);
}

static int open_socket(void)
{
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0);
	return 0;
}

static void a_client_may_open_sockets(void **state)
{
	(void)state;
	assert_int_equal(run(&(struct sandbox_policy){ .profile = SANDBOX_CLIENT }, open_socket),
			 0);
}

static int start_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int mount_something(void)
{
	mount("none", "/mnt", "tmpfs", 0, NULL);
	return 1;
}

static void what_only_an_intruder_does_ends_the_process(void **state)
{
	(void)state;
	int (*const bodies[])(void) = { start_program, mount_something };

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		int status = run(&(struct sandbox_policy){ 0 }, bodies[i]);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

static int spawn_program(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(9);
	}
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void programs_start_with_the_spawn_profile(void **state)
{
	(void)state;
	const struct sandbox_policy p = { .profile = SANDBOX_SPAWN,
					  .exec = PATHS("/bin", "/usr/bin", "/lib", "/lib64",
							"/usr/lib") };
	assert_int_equal(run(&p, spawn_program), 0);
}

/* As under the emulation of another processor, which passes no filters on. */
static void a_kernel_without_the_filters_we_need_is_no_reason_to_stay_down(void **state)
{
	(void)state;
	const struct sandbox_policy p = { .profile = SANDBOX_SERVER };
	unsigned before = seccomp_api_get();
	struct err err;

	assert_int_equal(seccomp_api_set(1), 0);
	int r = sandbox_restrict_calls(&p, &err);
	assert_int_equal(seccomp_api_set(before), 0);
	assert_int_equal(r, -ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_paths_of_the_policy_open),
		cmocka_unit_test(calls_outside_the_profile_are_refused),
		cmocka_unit_test(who_has_files_may_ask_whether_a_process_lives),
		cmocka_unit_test(other_processes_are_out_of_reach),
		cmocka_unit_test(threads_can_be_started),
		cmocka_unit_test(a_client_may_open_sockets),
		cmocka_unit_test(what_only_an_intruder_does_ends_the_process),
		cmocka_unit_test(programs_start_with_the_spawn_profile),
		cmocka_unit_test(a_kernel_without_the_filters_we_need_is_no_reason_to_stay_down),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
