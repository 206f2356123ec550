#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "store/maildir/keyword_file.h"
#include "store/maildir/subscription_file.h"

static void keywords_are_read_and_wrong_lines_counted(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct keyword_table t;
	assert_int_equal(keyword_file_parse(STR("0 $Forwarded\n2 NonJunk\n\n26 high\n-1 x\n1 a b\n"
						"3 nonjunk\n2 twice\n25 z"),
					    &a, &t),
			 6);
	assert_int_equal(t.n, 26);
	assert_int_equal(keyword_table_find(&t, STR("$FORWARDED")), 0);
	assert_int_equal(keyword_table_find(&t, STR("z")), 25);
	assert_int_equal(keyword_table_find(&t, STR("twice")), -1);
	assert_int_equal(keyword_table_free_bit(&t), -1);

	struct buf out;
	buf_init(&out, &a, 1000);
	keyword_file_write(&out, &t);
	assert_true(str_eq(buf_str(&out), STR("0 $Forwarded\n2 NonJunk\n25 z\n")));
	arena_done(&a);
}

static void subscriptions_of_both_formats_are_read(void **state)
{
	(void)state;
	static const struct {
		struct str in;
		const char *out;
		unsigned wrong;
	} cases[] = {
		{ STR_INIT("V\t2\n\nFoo\tB&AOQ-r\nINBOX\n"), "V\t2\n\nFoo\tB&AOQ-r\nINBOX\n", 0 },
		{ STR_INIT("Foo.B&AOQ-r\ninbox\nFoo.B&AOQ-r\n"), "V\t2\n\nFoo\tB&AOQ-r\nINBOX\n",
		  0 },
		{ STR_INIT("V\t2\n\nFoo\tB\xc3\xa4r\n"), "V\t2\n\nFoo\tB&AOQ-r\n", 0 },
		{ STR_INIT("V\t2\n\na.b\n../x\na\t\tb\n\xff\nok"), "V\t2\n\nok\n", 4 },
		{ STR_INIT(""), "V\t2\n\n", 0 },
		{ STR_INIT("\n\n"), "V\t2\n\n", 0 },
	};
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct subscription_list l;
		struct buf out;
		assert_int_equal(subscription_file_parse(cases[i].in, &a, &l), cases[i].wrong);
		buf_init(&out, &a, 1000);
		subscription_file_write(&out, &l);
		assert_true(str_eq(buf_str(&out), str_from(cases[i].out)));
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keywords_are_read_and_wrong_lines_counted),
		cmocka_unit_test(subscriptions_of_both_formats_are_read),
	};
	return cmocka_run_group_tests_name("store/account_files", tests, NULL, NULL);
}
