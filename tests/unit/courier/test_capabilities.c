#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/capabilities.h"

static void words_are_understood_in_any_case(void **state)
{
	(void)state;
	struct courier_capabilities c = { 0 };
	static const char *const lines[] = {
		"Pipelining",
		"SIZE 1000",
		"auth plain LOGIN x-unknown",
		"AUTH=CRAM-MD5 XOAUTH2",
		"LIMITS RCPTMAX=7 MAILMAX=0 X=1 RCPTMAX",
		"X-WHAT",
		"",
		"8BITMIME",
		"STARTTLS",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		courier_capabilities_add(&c, str_from(lines[i]));
	assert_int_equal(c.extensions, COURIER_PIPELINING | COURIER_SIZE | COURIER_AUTH |
					       COURIER_8BITMIME | COURIER_STARTTLS);
	assert_int_equal(c.mechanisms, COURIER_AUTH_PLAIN | COURIER_AUTH_LOGIN |
					       COURIER_AUTH_CRAM_MD5 | COURIER_AUTH_XOAUTH2);
	assert_int_equal(c.size, 1000);
	assert_int_equal(c.rcpt_max, 7);
	assert_int_equal(c.mail_max, 0);
}

static void a_size_that_is_no_number_is_no_limit(void **state)
{
	(void)state;
	struct courier_capabilities c = { 0 };

	courier_capabilities_add(&c, STR("SIZE 99999999999999999999999"));
	assert_int_equal(c.extensions, COURIER_SIZE);
	assert_int_equal(c.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_understood_in_any_case),
		cmocka_unit_test(a_size_that_is_no_number_is_no_limit),
	};
	return cmocka_run_group_tests_name("courier/capabilities", tests, NULL, NULL);
}
