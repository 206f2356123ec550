#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "setup/mail_usage.h"

/* The expectations are what numfmt --to=iec prints. */
static void sizes_are_rounded_up_like_numfmt_does(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1.0K" },
		{ 1025, "1.1K" },
		{ 10137, "9.9K" },
		{ 10138, "10K" },
		{ 10240, "10K" },
		{ 10241, "11K" },
		{ 1047552, "1023K" },
		{ 1047553, "1.0M" },
		{ 1048576, "1.0M" },
		{ 52428800, "50M" },
		{ 5368709120, "5.0G" },
		{ 1152921504606846976, "1.0E" },
		{ UINT64_MAX, "16E" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		assert_string_equal(mail_usage_format(cases[i].bytes, &a), cases[i].text);
	}
}

static void a_mailbox_that_does_not_exist_is_empty(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	assert_int_equal(mail_usage(STR("/nonexistent/mailbox"), &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_rounded_up_like_numfmt_does),
		cmocka_unit_test(a_mailbox_that_does_not_exist_is_empty),
	};
	return cmocka_run_group_tests_name("setup/mail_usage", tests, NULL, NULL);
}
