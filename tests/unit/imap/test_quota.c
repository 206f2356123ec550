/* QUOTA (RFC 9208), and what happens at the limit. */
#include "session_fixture.h"

static void one_kilobyte(struct account *t)
{
	char text[1100] = "Subject: one\r\n\r\n";

	for (size_t n = strlen(text); n < 1000; n++)
		text[n] = 'x';
	text[1000] = '\0';
	account_append(t, "INBOX", text, STORE_DELETED);
}

/* RFC 9208 4.1.1, 4.1.2, 5.1: STORAGE in units of 1024 octets. */
static void roots_and_limits_are_told(void **state)
{
	(void)state;
	session_quota = 100 * 1024;
	session_run("C: a GETQUOTAROOT INBOX\n"
		    "S: * QUOTAROOT INBOX \"User quota\"\n"
		    "S: * QUOTA \"User quota\" (STORAGE 1 100)\nS: a OK <*>\n"
		    "C: b GETQUOTA \"User quota\"\n"
		    "S: * QUOTA \"User quota\" (STORAGE 1 100)\nS: b OK <*>\n"
		    "C: c GETQUOTA \"\"\nS: c NO [NONEXISTENT] <*>\n"
		    "C: d GETQUOTAROOT none\nS: d NO [NONEXISTENT] <*>\n"
		    "C: e SETQUOTA \"User quota\" (STORAGE 5)\nS: e NO [NOPERM] <*>\n"
		    "C: f GETQUOTA\nS: f BAD Missing argument.\n"
		    "C: g GETQUOTAROOT INBOX x\nS: g BAD Unexpected text <*>\n"
		    "C: h STATUS INBOX (DELETED DELETED-STORAGE)\n"
		    "S: * STATUS INBOX (DELETED 1 DELETED-STORAGE 1)\nS: h OK <*>\n",
		    one_kilobyte);
}

static void without_a_limit_there_is_no_root(void **state)
{
	(void)state;
	session_quota = 0;
	session_run("C: a GETQUOTAROOT INBOX\nS: * QUOTAROOT INBOX\nS: a OK <*>\n"
		    "C: b GETQUOTA \"User quota\"\nS: b NO [NONEXISTENT] <*>\n",
		    NULL);
}

/* RFC 9208 4.3.1: NO with OVERQUOTA. The message is refused before it is asked for. */
static void append_stops_at_the_limit(void **state)
{
	(void)state;
	session_quota = 1100;
	session_run("C: a APPEND INBOX {101}\nS: a NO [OVERQUOTA] <*>\n"
		    "C: b APPEND INBOX {58+}\n"
		    "C: 0123456789012345678901234567890123456789012345678901234567 {58+}\n"
		    "C: 0123456789012345678901234567890123456789012345678901234567\n"
		    "S: b NO [OVERQUOTA] <*>\n"
		    "C: c APPEND INBOX CATENATE (TEXT {1+}\nC: x URL \"/INBOX/;UID=1\")\n"
		    "S: c NO [OVERQUOTA] <*>\n"
		    "C: d APPEND INBOX {5+}\nC: a: b\nC: \n"
		    "S: d OK [APPENDUID <*> 2] <*>\n",
		    one_kilobyte);
}

static void copy_stops_at_the_limit_and_move_does_not(void **state)
{
	(void)state;
	session_quota = 1500;
	session_run("C: a SELECT INBOX\nU: a OK <*>\n"
		    "C: b COPY 1 Sent\nS: b NO [OVERQUOTA] <*>\n"
		    "C: c COPY 1 Trash\nS: c OK [COPYUID <*>\n"
		    "C: d REPLACE 1 INBOX {3+}\nC: new\n"
		    "U: d OK <*>\n"
		    "C: e MOVE 1 Sent\nU: e OK <*>\n",
		    one_kilobyte);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_and_limits_are_told),
		cmocka_unit_test(without_a_limit_there_is_no_root),
		cmocka_unit_test(append_stops_at_the_limit),
		cmocka_unit_test(copy_stops_at_the_limit_and_move_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
