#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/xtext.h"

static void what_is_not_plain_is_escaped(void **state)
{
	(void)state;
	auto_buf struct buf b;

	buf_init(&b, NULL, 1000);
	courier_xtext_write(&b, STR("a+b=c d~!\x7f\xc3\n"));
	assert_true(str_eq(buf_str(&b), STR("a+2Bb+3Dc+20d~!+7F+C3+0A")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_plain_is_escaped),
	};
	return cmocka_run_group_tests_name("courier/xtext", tests, NULL, NULL);
}
