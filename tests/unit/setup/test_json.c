#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "setup/json.h"

static void members_and_items_are_separated(void **state)
{
	(void)state;
	auto_buf struct buf b;
	struct json j = { .out = &b };

	buf_init(&b, NULL, 4096);
	json_open(&j, NULL, '{');
	json_str(&j, "a", STR("x"));
	json_open(&j, "list", '[');
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_int(&j, NULL, -3);
	json_close(&j, ']');
	json_open(&j, "none", '[');
	json_close(&j, ']');
	json_str_if(&j, "empty", STR(""));
	json_bool(&j, "yes", true);
	json_close(&j, '}');
	assert_string_equal(buf_cstr(&b),
			    "{\"a\": \"x\", \"list\": [{}, -3], \"none\": [], \"yes\": true}");
}

static void any_bytes_make_a_valid_string(void **state)
{
	(void)state;
	static const struct {
		struct str value;
		const char *json;
	} cases[] = {
		{ STR_INIT(""), "\"\"" },
		{ STR_INIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ STR_INIT("\0\t\x7f\r\n"), "\"\\u0000\\u0009\\u007f\\u000d\\u000a\"" },
		{ STR_INIT("\xc3\xa4\xe2\x82\xac"), "\"\xc3\xa4\xe2\x82\xac\"" },
		{ STR_INIT("\xc2\x9b"
			   "31m\xc2\xa0"),
		  "\"\\u009b31m\xc2\xa0\"" },
		{ STR_INIT("\xff"
			   "a\xc3"),
		  "\"\xef\xbf\xbd"
		  "a\xef\xbf\xbd\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 4096);
		json_write_string(&b, cases[i].value);
		assert_string_equal(buf_cstr(&b), cases[i].json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_items_are_separated),
		cmocka_unit_test(any_bytes_make_a_valid_string),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
