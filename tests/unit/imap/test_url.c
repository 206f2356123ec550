/* URLs of messages (RFC 5092). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "imap/url.h"

static void urls_name_a_message_a_section_and_a_range(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imap_url u;

	(void)state;
	assert_int_equal(imap_url_parse(STR("/INBOX;UIDVALIDITY=7/;UID=20/;SECTION=1.2"), &a, &u),
			 0);
	assert_true(str_eq(u.mailbox, STR("INBOX")));
	assert_int_equal(u.uidvalidity, 7);
	assert_int_equal(u.uid, 20);
	assert_true(str_eq(u.section, STR("1.2")));
	assert_false(u.is_partial);

	assert_int_equal(
		imap_url_parse(STR(";uid=1/;section=HEADER.FIELDS%20(To)/;partial=3.4"), &a, &u),
		0);
	assert_null(u.mailbox.p);
	assert_true(str_eq(u.section, STR("HEADER.FIELDS (To)")));
	assert_true(u.is_partial);
	assert_int_equal(u.offset, 3);
	assert_int_equal(u.length, 4);

	assert_int_equal(imap_url_parse(STR("/Entw%C3%BCrfe/;UID=1/;PARTIAL=9"), &a, &u), 0);
	assert_true(str_eq(u.mailbox, STR("Entw\xc3\xbcrfe")));
	assert_int_equal(u.length, 0);
}

static void what_is_no_url_of_ours_is_refused(void **state)
{
	static const struct str urls[] = {
		STR_INIT(""),
		STR_INIT("/INBOX"),
		STR_INIT(";UID="),
		STR_INIT(";UID=0"),
		STR_INIT(";UID=4294967296"),
		STR_INIT(";UID=1x"),
		STR_INIT("INBOX/;UID=1"),
		STR_INIT("/;UID=1"),
		STR_INIT("//host/INBOX/;UID=1"),
		STR_INIT("imap://host/INBOX/;UID=1"),
		STR_INIT("/INBOX;UIDVALIDITY=x/;UID=1"),
		STR_INIT("/INBOX;UIDVALIDITY=0/;UID=1"),
		STR_INIT("/IN%4/;UID=1"),
		STR_INIT("/IN%00X/;UID=1"),
		STR_INIT("/IN%ff/;UID=1"),
		STR_INIT(";UID=1/;SECTION="),
		STR_INIT(";UID=1/;PARTIAL=1.0"),
		STR_INIT(";UID=1/;PARTIAL=1.2.3"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct imap_url u;
		assert_int_not_equal(imap_url_parse(urls[i], &a, &u), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_name_a_message_a_section_and_a_range),
		cmocka_unit_test(what_is_no_url_of_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
