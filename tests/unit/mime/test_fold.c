#include "mime/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fold_case {
	const char *text, *want;
};

static void assert_all(const struct fold_case *table, size_t n,
		       void (*fold)(struct buf *out, struct str text))
{
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 1000);
		fold(&b, str_from(table[i].text));
		assert_string_equal(buf_cstr(&b), table[i].want);
	}
}

static void case_and_accents_are_folded_in_all_of_unicode(void **state)
{
	static const struct fold_case table[] = {
		{ "", "" },
		{ "Hello WORLD 123", "HELLO WORLD 123" },
		{ "M\xc3\x9cNCHEN", "MUNCHEN" },
		{ "Mu\xcc\x88nchen", "MUNCHEN" },
		{ "Stra\xc3\x9f"
		  "e",
		  "STRASSE" },
		{ "\xef\xac\x81n", "FIN" },
		{ "\xce\xac\xcf\x83\xcf\x82", "\xce\x91\xce\xa3\xce\xa3" },
		{ "a\xff\xfe Z", "A\xef\xbf\xbd\xef\xbf\xbd Z" },
		{ "cut \xe2\x82", "CUT \xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },
		{ "\xed\x95\x9c", "\xed\x95\x9c" },
	};

	(void)state;
	assert_all(table, ARRAY_LEN(table), mime_fold_put);
}

/* RFC 5051: titlecase, then decomposition. */
static void the_collation_keeps_accents_apart(void **state)
{
	static const struct fold_case table[] = {
		{ "ab_c", "AB_C" },
		{ "\xc3\xa9", "E\xcc\x81" },
		{ "\xc3\x9f", "\xc3\x9f" },
	};

	(void)state;
	assert_all(table, ARRAY_LEN(table), mime_collate_put);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_accents_are_folded_in_all_of_unicode),
		cmocka_unit_test(the_collation_keeps_accents_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
