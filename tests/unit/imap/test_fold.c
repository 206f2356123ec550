#include "imap/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void case_is_folded_in_all_of_unicode(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{ "", "" },
		{ "Hello WORLD 123", "hello world 123" },
		{ "M\xc3\x9cNCHEN", "m\xc3\xbcnchen" },
		{ "\xce\x91\xce\xa3", "\xce\xb1\xcf\x83" },
		{ "a\xff\xfe Z", "a\xef\xbf\xbd\xef\xbf\xbd z" },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 1000);
		imap_fold_put(&b, str_from(table[i].text));
		assert_string_equal(buf_cstr(&b), table[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_is_folded_in_all_of_unicode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
