#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/watch.h"

static char dir[] = "/tmp/posthorn-watch-XXXXXX";
static char plain[64], linked[64], target[2][64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(plain, sizeof(plain), "%s/plain", dir);
	snprintf(linked, sizeof(linked), "%s/linked", dir);
	snprintf(target[0], sizeof(target[0]), "%s/one", dir);
	snprintf(target[1], sizeof(target[1]), "%s/two", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(plain);
	unlink(linked);
	unlink(target[0]);
	unlink(target[1]);
	return rmdir(dir);
}

static void put(const char *path, const char *text)
{
	assert_int_equal(fd_replace_file(path, str_from(text), 0600, NULL), 0);
}

static void every_kind_of_change_is_seen_once(void **state)
{
	(void)state;
	struct watch w = { .count = 0 };

	assert_int_equal(watch_add(&w, plain), 0);
	assert_int_equal(watch_poll(&w), 0);
	put(plain, "a");
	assert_int_equal(watch_poll(&w), 1); /* appeared */
	assert_int_equal(watch_poll(&w), 0);
	put(plain, "b");
	assert_int_equal(watch_poll(&w), 1); /* replaced by one of the same size */
	unlink(plain);
	assert_int_equal(watch_poll(&w), 1); /* vanished */
	assert_int_equal(watch_poll(&w), 0);
}

static void a_link_that_is_swapped_is_a_change(void **state)
{
	(void)state;
	struct watch w = { .count = 0 };

	put(target[0], "same");
	put(target[1], "same");
	assert_int_equal(symlink(target[0], linked), 0);
	watch_add(&w, plain);
	watch_add(&w, linked);
	unlink(linked);
	assert_int_equal(symlink(target[1], linked), 0);
	assert_int_equal(watch_poll(&w), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_change_is_seen_once),
		cmocka_unit_test(a_link_that_is_swapped_is_a_change),
	};
	return cmocka_run_group_tests_name("core/watch", tests, make_dir, remove_dir);
}
