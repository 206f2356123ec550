#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"

static char dir[64];

static int enter_temp_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/posthorn-fd-XXXXXX");
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_temp_dir(void **state)
{
	(void)state;
	char command[100];
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int taken_and_left(int *left)
{
	auto_close int kept = open_null();
	auto_close int moved = open_null();
	*left = kept;
	return take_fd(&moved);
}

static void scope_closes_unless_taken(void **state)
{
	(void)state;
	int left;
	int taken = taken_and_left(&left);

	assert_false(is_open(left));
	assert_true(is_open(taken));
	close(taken);
}

static void closing_keeps_errno(void **state)
{
	(void)state;
	int fd = 9999;
	errno = ENOSPC;
	fd_close_scope(&fd);
	assert_int_equal(errno, ENOSPC);
}

static void pointer_is_moved_out_of_its_guard(void **state)
{
	(void)state;
	char *copy;
	{
		auto_free char *text = strdup("kept");
		copy = take_ptr(&text);
		assert_null(text);
	}
	assert_string_equal(copy, "kept");
	free(copy);
}

static void put_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, str_from(text), NULL), 0);
}

static void whole_file_is_read_up_to_the_maximum(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str s;
	struct err err;

	put_file("f", "12345");
	assert_int_equal(fd_read_file("f", &a, 5, &s, &err), 0);
	assert_true(str_eq(s, STR("12345")));
	assert_int_equal(s.p[5], '\0');
	assert_int_equal(fd_read_file("f", &a, 4, &s, &err), -EFBIG);
	assert_string_equal(err.text, "f: larger than 4 bytes");
	put_file("f", "");
	assert_int_equal(fd_read_file("f", &a, 0, &s, &err), 0);
	assert_int_equal(s.n, 0);
}

static void file_without_a_size_is_read_to_its_end(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str s;

	assert_int_equal(fd_read_file("/proc/self/status", &a, 100000, &s, NULL), 0);
	assert_true(str_starts(s, STR("Name:")));
	assert_int_equal(fd_read_file("/proc/self/status", &a, 10, &s, NULL), -EFBIG);
}

static void open_errors_come_back_as_they_are(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str s;
	struct err err;

	assert_int_equal(fd_read_file("none", &a, 10, &s, &err), -ENOENT);
	assert_string_equal(err.text, "none: No such file or directory");
	assert_int_equal(fd_read_file(".", &a, 10, &s, NULL), -EINVAL);
	assert_int_equal(fd_read_file("/dev/null", &a, 10, &s, NULL), -EINVAL);
}

static void fifo_does_not_block_the_reader(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str s;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(fd_read_file("fifo", &a, 10, &s, NULL), -EINVAL);
}

static void missing_directories_are_made(void **state)
{
	(void)state;
	struct err err;
	struct stat st;

	assert_int_equal(fd_make_dirs("a/b//c/", 0750, &err), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750 & ~022);
	assert_int_equal(fd_make_dirs("a/b", 0700, &err), 0);
	assert_int_equal(fd_make_dirs("/", 0700, &err), 0);
	put_file("plain", "");
	assert_int_equal(fd_make_dirs("plain", 0700, &err), -ENOTDIR);
	assert_int_equal(fd_make_dirs("plain/x", 0700, &err), -ENOTDIR);
	assert_int_equal(fd_make_dirs("", 0700, &err), -ENOENT);
}

static void replaced_file_keeps_its_mode(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str s;
	struct stat st;

	put_file("r", "old and longer");
	assert_int_equal(chmod("r", 0640), 0);
	assert_int_equal(fd_replace_file("r", STR("new"), 0600, NULL), 0);
	assert_int_equal(fd_read_file("r", &a, 100, &s, NULL), 0);
	assert_true(str_eq(s, STR("new")));
	assert_int_equal(stat("r", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void new_file_has_exactly_the_given_mode(void **state)
{
	(void)state;
	struct stat st;
	mode_t mask = umask(077);

	assert_int_equal(fd_replace_file("n", STR("x"), 0644, NULL), 0);
	umask(mask);
	assert_int_equal(stat("n", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void failed_replacement_leaves_old_file_and_no_litter(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(fd_make_dirs("d/full", 0700, NULL), 0);
	assert_int_equal(fd_replace_file("d", STR("x"), 0600, &err), -EISDIR);
	assert_true(str_starts(str_from(err.text), STR("d: rename: ")));
	char tmp[64];
	snprintf(tmp, sizeof(tmp), "d.tmp%d", (int)getpid());
	assert_int_equal(access(tmp, F_OK), -1);
	assert_int_equal(fd_replace_file("gone/x", STR("x"), 0600, &err), -ENOENT);
}

static void parent_of_any_path_is_synced(void **state)
{
	(void)state;
	assert_int_equal(fd_sync_parent("file", NULL), 0);
	assert_int_equal(fd_sync_parent("/file", NULL), 0);
	assert_int_equal(fd_sync_parent("a/b", NULL), 0);
	assert_int_equal(fd_sync_parent("gone/b", NULL), -ENOENT);
}

static void write_errors_are_reported(void **state)
{
	(void)state;
	struct err err;
	auto_close int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(fd_write_all(fd, STR("x"), &err), -ENOSPC);
	assert_string_equal(err.text, "write: No space left on device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_closes_unless_taken),
		cmocka_unit_test(closing_keeps_errno),
		cmocka_unit_test(pointer_is_moved_out_of_its_guard),
		cmocka_unit_test(whole_file_is_read_up_to_the_maximum),
		cmocka_unit_test(file_without_a_size_is_read_to_its_end),
		cmocka_unit_test(open_errors_come_back_as_they_are),
		cmocka_unit_test(fifo_does_not_block_the_reader),
		cmocka_unit_test(missing_directories_are_made),
		cmocka_unit_test(replaced_file_keeps_its_mode),
		cmocka_unit_test(new_file_has_exactly_the_given_mode),
		cmocka_unit_test(failed_replacement_leaves_old_file_and_no_litter),
		cmocka_unit_test(parent_of_any_path_is_synced),
		cmocka_unit_test(write_errors_are_reported),
	};
	return cmocka_run_group_tests_name("base/fd", tests, enter_temp_dir, remove_temp_dir);
}
