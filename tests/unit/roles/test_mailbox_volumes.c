#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "roles/mailbox_volumes.h"

static void close_all(struct mailbox_volumes *m)
{
	while (m->count)
		close(m->v[--m->count].fd);
}

/* A directory whose file system is mounted below another. */
static void every_file_system_is_synced(void **state)
{
	struct mailbox_volumes m = { 0 };
	struct stat top, below;
	struct err err;
	(void)state;

	if (stat("/dev", &top) < 0 || stat("/dev/shm", &below) < 0 || top.st_dev == below.st_dev)
		skip();
	assert_int_equal(mailbox_volumes_add(&m, "/dev", &err), 0);
	assert_int_equal(mailbox_volumes_add(&m, "/dev", &err), 0);
	assert_int_equal(m.count, 1);
	assert_int_equal(mailbox_volumes_add(&m, "/dev/shm", &err), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(mailbox_volumes_sync(&m), 0);

	/* The second one fails, and only that. */
	close(m.v[1].fd);
	assert_int_equal(mailbox_volumes_sync(&m), -EBADF);
	m.count = 1;
	assert_int_equal(mailbox_volumes_sync(&m), 0);
	close_all(&m);
}

static void a_directory_that_is_gone_is_an_error(void **state)
{
	struct mailbox_volumes m = { 0 };
	struct err err;
	(void)state;

	assert_int_equal(mailbox_volumes_add(&m, "/nonexistent", &err), -ENOENT);
	assert_int_equal(m.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_system_is_synced),
		cmocka_unit_test(a_directory_that_is_gone_is_an_error),
	};
	return cmocka_run_group_tests_name("roles/mailbox_volumes", tests, NULL, NULL);
}
