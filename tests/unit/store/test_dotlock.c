#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <errno.h>

#include "base/err.h"
#include "store/maildir/dotlock.h"

struct place {
	char dir[64];
	int fd;
	struct dotlock_source source;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	snprintf(p->dir, sizeof(p->dir), "/tmp/posthorn-lock-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dotlock_source_init(&p->source, p->fd);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	dotlock_source_done(&p->source);
	(void)unlinkat(p->fd, "target", 0);
	(void)unlinkat(p->fd, "target.new", 0);
	(void)unlinkat(p->fd, "x.lock", 0);
	close(p->fd);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static void write_file(struct place *p, const char *name, const char *text)
{
	int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(write(fd, text, strlen(text)) >= 0);
	close(fd);
}

static void write_lock(struct place *p, const char *text)
{
	write_file(p, "x.lock", text);
}

static void a_lock_is_a_file_while_it_is_held(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	for (int i = 0; i < 2; i++) {
		int r = i ? dotlock_take(&l, p->fd, "x.lock", NULL)
			  : dotlock_take_link(&l, &p->source, p->fd, "x.lock", NULL);
		assert_int_equal(r, 0);
		assert_int_equal(faccessat(p->fd, "x.lock", F_OK, 0), 0);
		dotlock_release(&l);
		assert_int_equal(faccessat(p->fd, "x.lock", F_OK, 0), -1);
		dotlock_release(&l);
	}
}

static void a_lock_of_another_host_is_respected_while_fresh(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	struct err err;
	write_lock(p, "1:some-other-host");
	assert_int_equal(dotlock_take(&l, p->fd, "x.lock", &err), -EAGAIN);
	assert_int_equal(dotlock_take_link(&l, &p->source, p->fd, "x.lock", &err), -EAGAIN);
	assert_int_equal(l.dirfd, -1);
}

static void our_own_lock_from_before_is_taken_over(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	char host[65] = "", text[100];
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	snprintf(text, sizeof(text), "%d:%s", (int)getpid(), host);
	write_lock(p, text);
	assert_int_equal(dotlock_take(&l, p->fd, "x.lock", NULL), 0);
	dotlock_release(&l);
}

/* A worker that was killed could not tidy up. */
static void files_of_processes_that_are_gone_are_removed(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	char host[65] = "", gone[100], alive[100];
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	snprintf(gone, sizeof(gone), "%d:%s", INT32_MAX - 1, host);
	snprintf(alive, sizeof(alive), "%d:%s", (int)getppid(), host);
	write_file(p, "posthorn.lock.1", gone);
	write_file(p, "posthorn.lock.2", alive);
	write_file(p, "posthorn.lock.3", "1:some-other-host");
	write_file(p, "posthorn.locked", gone);

	assert_int_equal(dotlock_take_link(&l, &p->source, p->fd, "x.lock", NULL), 0);
	dotlock_release(&l);
	assert_int_equal(unlinkat(p->fd, "posthorn.lock.1", 0), -1);
	assert_int_equal(unlinkat(p->fd, "posthorn.lock.2", 0), 0);
	assert_int_equal(unlinkat(p->fd, "posthorn.lock.3", 0), 0);
	assert_int_equal(unlinkat(p->fd, "posthorn.locked", 0), 0);
}

static void a_file_is_replaced_under_its_lock(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	char text[16];
	assert_int_equal(dotlock_take(&l, p->fd, "x.lock", NULL), 0);
	assert_int_equal(dotlock_replace(&l, "target", STR("new"), NULL), 0);
	assert_int_equal(faccessat(p->fd, "x.lock", F_OK, 0), -1);
	int fd = openat(p->fd, "target", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_memory_equal(text, "new", 3);
	close(fd);
}

/* Who is killed meanwhile must leave a lock that says so. */
static void a_lock_names_its_holder_until_the_end(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	char text[64] = "", pid[16];
	write_file(p, "target.new", "left by one who was killed");
	assert_int_equal(dotlock_take(&l, p->fd, "x.lock", NULL), 0);
	assert_int_equal(linkat(p->fd, "x.lock", p->fd, "same", 0), 0);
	assert_int_equal(dotlock_replace(&l, "target", STR("new"), NULL), 0);
	int fd = openat(p->fd, "same", O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_int_equal(unlinkat(p->fd, "same", 0), 0);
	snprintf(pid, sizeof(pid), "%d:", (int)getpid());
	assert_memory_equal(text, pid, strlen(pid));
}

static void a_lock_that_was_taken_from_us_replaces_nothing(void **state)
{
	struct place *p = *state;
	struct dotlock l = DOTLOCK_NONE;
	assert_int_equal(dotlock_take(&l, p->fd, "x.lock", NULL), 0);
	assert_int_equal(unlinkat(p->fd, "x.lock", 0), 0);
	write_lock(p, "1:thief");
	assert_int_equal(dotlock_replace(&l, "target", STR("new"), NULL), -EAGAIN);
	assert_int_equal(faccessat(p->fd, "target", F_OK, 0), -1);
	assert_int_equal(faccessat(p->fd, "x.lock", F_OK, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lock_is_a_file_while_it_is_held),
		TEST(a_lock_of_another_host_is_respected_while_fresh),
		TEST(our_own_lock_from_before_is_taken_over),
		TEST(files_of_processes_that_are_gone_are_removed),
		TEST(a_file_is_replaced_under_its_lock),
		TEST(a_lock_names_its_holder_until_the_end),
		TEST(a_lock_that_was_taken_from_us_replaces_nothing),
	};
	return cmocka_run_group_tests_name("store/dotlock", tests, NULL, NULL);
}
