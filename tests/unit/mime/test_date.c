#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "mime/date.h"

static void dates_of_old_and_new_mail_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		int64_t unix_s;
		int zone_min;
		bool zone_unknown;
	} cases[] = {
		/* RFC 5322 appendix A */
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360, false },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120, false },
		{ "Thu, 13 Feb 1969 23:32:54 -0330", -27723426, -210, false },
		{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
		  "               -0330 (Newfoundland Time)",
		  -27723480, -210, false },
		{ "21 Nov 97 09:55:06 GMT", 880106106, 0, false },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360, false },
		/* zones */
		{ "24 Nov 2026 04:02:29 -0000", 1795492949, 0, true },
		{ "24 Nov 2026 04:02:29 Z", 1795492949, 0, false },
		{ "24 Nov 2026 04:02:29 EST", 1795510949, -300, false },
		{ "24 Nov 2026 04:02:29 pdt", 1795518149, -420, false },
		{ "24 Nov 2026 04:02:29 A", 1795492949, 0, true },
		{ "24 Nov 2026 04:02:29 MSK", 1795492949, 0, true },
		{ "24 Nov 2026 04:02:29 GMT+0100", 1795492949, 0, false },
		{ "24 Nov 2026 04:02:29 +05:30", 1795473149, 330, false },
		{ "24 Nov 2026 04:02:29", 1795492949, 0, true },
		/* two and three digits */
		{ "1 Jan 49 00:00 GMT", 2493072000, 0, false },
		{ "1 Jan 50 00:00 GMT", -631152000, 0, false },
		{ "1 Jan 126 00:00:00 GMT", 1767225600, 0, false },
		/* what clients write */
		{ "Tue Nov 24 04:02:29 2026", 1795492949, 0, true },
		{ "Tue Nov 24 04:02:29 EST 2026", 1795510949, -300, false },
		{ "Tue, 24-Nov-2026 04:02:29 GMT", 1795492949, 0, false },
		{ "Tue 24 November 2026 04:02:29 GMT", 1795492949, 0, false },
		{ "Tuesday, 24 Nov 2026 04:02:29.123 GMT", 1795492949, 0, false },
		{ "29 Feb 2000 23:59:60 +0000", 951868800, 0, false },
		{ "31 Dec 9999 23:59:59 +0000", 253402300799, 0, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_date d = { 0 };
		if (mime_date_parse(str_from(cases[i].value), &d) < 0)
			fail_msg("not understood: %s", cases[i].value);
		assert_int_equal(d.unix_s, cases[i].unix_s);
		assert_int_equal(d.zone_min, cases[i].zone_min);
		assert_int_equal(d.zone_unknown, cases[i].zone_unknown);
	}
}

static void what_is_no_date_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"Tue",
		"Tue, 24 Nov 2026",
		"31 Apr 2026 00:00 GMT",
		"29 Feb 1900 00:00 GMT",
		"0 Jan 2026 00:00 GMT",
		"1 Jan 2026 24:00 GMT",
		"1 Jan 2026 00:60 GMT",
		"1 Jan 2026 00:00:61 GMT",
		"1 Jan 20260 00:00 GMT",
		"1 Foo 2026 00:00 GMT",
		"1 Jan 99999999999999999999 00:00 GMT",
		"((((((((",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_date d;
		if (mime_date_parse(str_from(cases[i]), &d) != -EINVAL)
			fail_msg("understood: %s", cases[i]);
	}
}

static void assert_written(void (*write)(struct buf *, const struct mime_date *),
			   struct mime_date d, const char *want)
{
	auto_buf struct buf b;
	buf_init(&b, NULL, 64);
	write(&b, &d);
	assert_string_equal(buf_cstr(&b), want);
}

static void dates_are_written_for_headers_and_for_imap(void **state)
{
	(void)state;
	static const struct {
		struct mime_date date;
		const char *header, *imap;
	} cases[] = {
		{ { 1795492949, 0, false },
		  "Tue, 24 Nov 2026 04:02:29 +0000",
		  "24-Nov-2026 04:02:29 +0000" },
		{ { 1795492949, 330, false },
		  "Tue, 24 Nov 2026 09:32:29 +0530",
		  "24-Nov-2026 09:32:29 +0530" },
		{ { 1795492949, -330, false },
		  "Mon, 23 Nov 2026 22:32:29 -0530",
		  "23-Nov-2026 22:32:29 -0530" },
		{ { 0, 0, true }, "Thu, 1 Jan 1970 00:00:00 -0000", " 1-Jan-1970 00:00:00 -0000" },
		{ { -1, 0, false },
		  "Wed, 31 Dec 1969 23:59:59 +0000",
		  "31-Dec-1969 23:59:59 +0000" },
		{ { INT64_MAX, 1, false },
		  "Fri, 31 Dec 9999 23:59:59 +0001",
		  "31-Dec-9999 23:59:59 +0001" },
		{ { INT64_MIN, -1, false },
		  "Sat, 1 Jan 0000 00:00:00 -0001",
		  " 1-Jan-0000 00:00:00 -0001" },
		{ { 951782400, 0, false },
		  "Tue, 29 Feb 2000 00:00:00 +0000",
		  "29-Feb-2000 00:00:00 +0000" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_written(mime_date_write, cases[i].date, cases[i].header);
		assert_written(mime_date_imap_write, cases[i].date, cases[i].imap);
	}
}

static void imap_dates_have_one_form(void **state)
{
	(void)state;
	struct mime_date d;
	assert_int_equal(mime_date_imap_parse(STR("24-Nov-2026 04:02:29 +0100"), &d), 0);
	assert_int_equal(d.unix_s, 1795489349);
	assert_int_equal(d.zone_min, 60);
	assert_int_equal(mime_date_imap_parse(STR(" 4-nov-2026 04:02:29 -0000"), &d), 0);
	assert_true(d.zone_unknown);

	static const char *const bad[] = {
		"4-Nov-2026 04:02:29 +0000",   "24-Nov-2026 04:02:29 GMT  ",
		"24-Nov-2026 04:02:29 +0060",  "31-Nov-2026 04:02:29 +0000",
		"24-Nov-2026 04:02:29 +0000 ", "24-Nov-26 04:02:29 +0000",
		"  -Nov-2026 04:02:29 +0000",  "",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(mime_date_imap_parse(str_from(bad[i]), &d), -EINVAL);
}

static void search_days_ignore_the_zone(void **state)
{
	(void)state;
	int32_t day;
	assert_int_equal(mime_date_imap_day_parse(STR("4-Nov-2026"), &day), 0);
	assert_int_equal(day, 20761);
	assert_int_equal(mime_date_imap_day_parse(STR("04-NOV-2026"), &day), 0);
	assert_int_equal(day, 20761);
	assert_int_equal(mime_date_imap_day_parse(STR(" 4-Nov-2026"), &day), -EINVAL);
	assert_int_equal(mime_date_imap_day_parse(STR("30-Feb-2026"), &day), -EINVAL);
	assert_int_equal(mime_date_imap_day_parse(STR("4-Nov"), &day), -EINVAL);

	struct mime_date d;
	assert_int_equal(mime_date_parse(STR("Wed, 4 Nov 2026 23:30:00 -0800"), &d), 0);
	assert_int_equal(mime_date_day(&d), 20761);
}

static void every_day_survives_writing_and_reading(void **state)
{
	(void)state;
	auto_buf struct buf b;
	buf_init(&b, NULL, 64);
	for (int64_t day = -719528; day <= 2932896; day += 17) {
		struct mime_date d = { day * 86400 + 86399, 0, false }, back;
		buf_clear(&b);
		mime_date_imap_write(&b, &d);
		assert_int_equal(mime_date_imap_parse(buf_str(&b), &back), 0);
		assert_int_equal(back.unix_s, d.unix_s);
		assert_int_equal(mime_date_day(&back), day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_old_and_new_mail_are_understood),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(dates_are_written_for_headers_and_for_imap),
		cmocka_unit_test(imap_dates_have_one_form),
		cmocka_unit_test(search_days_ignore_the_zone),
		cmocka_unit_test(every_day_survives_writing_and_reading),
	};
	return cmocka_run_group_tests_name("mime/date", tests, NULL, NULL);
}
