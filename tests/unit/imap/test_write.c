#include "imap/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "imap/uids_write.h"
#include "store/store.h"

static void strings_are_quoted_or_literals(void **state)
{
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 1000);
	imap_write_string(&b, STR(""));
	imap_write_string(&b, STR_NONE);
	imap_write_string(&b, STR("a\"b\\"));
	imap_write_string(&b, STR("a\nb"));
	imap_write_string(&b, STR("a\0b"));
	imap_write_nstring(&b, STR_NONE);
	assert_string_equal(buf_cstr(&b), "\"\"\"\"\"a\\\"b\\\\\"{3}\r\na\nb{3}\r\na\x80"
					  "bNIL");
}

static void mailbox_names_leave_in_modified_utf7(void **state)
{
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 1000);
	imap_write_mailbox(&b, STR("Entw\xc3\xbcrfe & mehr"), false);
	assert_string_equal(buf_cstr(&b), "\"Entw&APw-rfe &- mehr\"");
}

static void mailbox_names_leave_in_utf8_where_that_is_enabled(void **state)
{
	(void)state;
	/* Again and again: what one call leaves on the stack must not matter to the next. */
	for (int i = 0; i < 100; i++) {
		auto_buf struct buf b;
		buf_init(&b, NULL, 1000);
		imap_write_mailbox(&b, STR("plain"), true);
		imap_write_mailbox(&b, STR("Entw\xc3\xbcrfe \"&\\"), true);
		imap_write_mailbox(&b, STR("\xff"), true);
		assert_string_equal(buf_cstr(&b), "plain\"Entw\xc3\xbcrfe \\\"&\\\\\"{1}\r\n\xff");
	}
}

static void flags_come_before_keywords(void **state)
{
	struct str names[] = { STR("$Junk"), STR(""), STR("later") };
	struct imap_keywords known = { names, 3 };
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 1000);
	imap_write_flags(&b, STORE_SEEN | STORE_RECENT, 7, &known);
	imap_write_flags(&b, 0, 0, &known);
	imap_write_date_time(&b, 837596665);
	assert_string_equal(buf_cstr(&b), "(\\Seen \\Recent $Junk later)()"
					  "\"17-Jul-1996 09:44:25 +0000\"");
}

static void uids_are_written_as_ranges(void **state)
{
	struct store_uid_range v[] = { { 1, 1 }, { 3, 5 } };
	struct store_uids uids = { v, 2, 2 };
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 1000);
	imap_uids_write(&b, &uids);
	assert_string_equal(buf_cstr(&b), "1,3:5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_quoted_or_literals),
		cmocka_unit_test(mailbox_names_leave_in_modified_utf7),
		cmocka_unit_test(mailbox_names_leave_in_utf8_where_that_is_enabled),
		cmocka_unit_test(flags_come_before_keywords),
		cmocka_unit_test(uids_are_written_as_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
