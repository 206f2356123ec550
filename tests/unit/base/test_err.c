#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_keeps_code_and_text(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(err_set(&err, -EINVAL, "line %d: %s", 3, "no separator"), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "line 3: no separator");
}

static void sys_adds_what_errno_means(void **state)
{
	(void)state;
	struct err err;

	errno = ENOENT;
	assert_int_equal(err_sys(&err, "open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
}

static void sys_without_errno_is_an_io_error(void **state)
{
	(void)state;
	struct err err;

	errno = 0;
	assert_int_equal(err_sys(&err, "read"), -EIO);
}

static void prefix_goes_before_the_text(void **state)
{
	(void)state;
	struct err err;

	err_set(&err, -EBADMSG, "no separator");
	err_prefix(&err, "line %d", 3);
	assert_int_equal(err_prefix(&err, "accounts"), -EBADMSG);
	assert_string_equal(err.text, "accounts: line 3: no separator");
}

static void no_err_is_fine(void **state)
{
	(void)state;
	errno = EACCES;
	assert_int_equal(err_sys(NULL, "x"), -EACCES);
	assert_int_equal(err_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(err_prefix(NULL, "x"), -EIO);
}

static void long_text_is_cut_at_any_length(void **state)
{
	(void)state;
	for (int n = 200; n < 300; n++) {
		struct err err;
		err_set(&err, -EINVAL, "%*d", n, 1);
		assert_int_equal(strlen(err.text), n < ERR_TEXT_MAX ? n : ERR_TEXT_MAX - 1);
		err_prefix(&err, "%*d", n, 1);
		assert_true(strlen(err.text) < ERR_TEXT_MAX);
		errno = ENOENT;
		err_sys(&err, "%*d", n, 1);
		assert_true(strlen(err.text) < ERR_TEXT_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_code_and_text),
		cmocka_unit_test(sys_adds_what_errno_means),
		cmocka_unit_test(sys_without_errno_is_an_io_error),
		cmocka_unit_test(prefix_goes_before_the_text),
		cmocka_unit_test(no_err_is_fine),
		cmocka_unit_test(long_text_is_cut_at_any_length),
	};
	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
