#include "imap/lexer_date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mime/date.h"
#include "text_feed.h"

static void dates_may_stand_in_quotes(void **state)
{
	static const struct {
		const char *text;
		int r;
		int32_t days;
	} table[] = {
		{ "1-Feb-1994 x", 0, 8797 },	 { "01-feb-1994)", 0, 8797 },
		{ "\"2-Jan-1970\" x", 0, 1 },	 { "29-Feb-2023", -EBADMSG, 0 },
		{ "\"1-Jan-2023", -EBADMSG, 0 }, { "(", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		struct imap_lexer *lx = text_feed_begin(&feed, str_from(table[i].text));
		int32_t days = 0;
		assert_int_equal(imap_lexer_date(lx, &days), table[i].r);
		assert_int_equal(days, table[i].days);
		text_feed_done(&feed);
	}
}

static void date_times_always_do(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t seconds;
		int zone;
	} table[] = {
		{ "\"17-Jul-1996 02:44:25 -0700\" {3}", 0, 837596665, -420 },
		{ "\" 1-Jan-1970 00:00:00 +0000\"", 0, 0, 0 },
		{ "\"01-Jan-1970 00:00:00", -EBADMSG, 0, 0 },
		{ "\"\"", -EBADMSG, 0, 0 },
		{ "01-Jan-1970", -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_feed feed;
		struct imap_lexer *lx = text_feed_begin(&feed, str_from(table[i].text));
		struct mime_date t = { 0 };
		assert_int_equal(imap_lexer_date_time(lx, &t), table[i].r);
		assert_int_equal(t.unix_s, table[i].seconds);
		assert_int_equal(t.zone_min, table[i].zone);
		text_feed_done(&feed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_may_stand_in_quotes),
		cmocka_unit_test(date_times_always_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
