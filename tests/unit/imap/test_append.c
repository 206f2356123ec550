/* APPEND in all its shapes: CATENATE (RFC 4469), REPLACE (RFC 8508), UTF8 (RFC 6855), literal8
 * (RFC 3516). */
#include "session_fixture.h"

static void a_multipart(struct account *t)
{
	account_append(t, "INBOX",
		       "Subject: one\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		       "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
		       "--b\r\nContent-Type: text/plain\r\n\r\nsecond\r\n--b--\r\n",
		       0);
}

/* RFC 4469 3: parts are put together in their order, from literals and from URLs. */
static void catenate_puts_parts_together(void **state)
{
	(void)state;
	session_run("C: a APPEND Sent (\\Seen) CATENATE (TEXT {16}\n"
		    "S: + OK\n"
		    "C: Subject: new\n"
		    "C: \n"
		    "C:  URL \"/INBOX/;UID=1/;SECTION=2\" TEXT {2+}\n"
		    "C: \n"
		    "C:  URL \"/INBOX/;UID=1/;SECTION=1/;PARTIAL=1.3\")\n"
		    "U: a OK [APPENDUID <*> 1] <*>\n"
		    "C: b SELECT Sent\n"
		    "U: b OK <*>\n"
		    "C: c FETCH 1 (FLAGS BODY.PEEK[])\n"
		    "S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[] {<*>}\n"
		    "S: Subject: new\nS: \nS: second\nS: irs)\n"
		    "S: c OK <*>\n",
		    a_multipart);
}

/* RFC 4469 5: a URL that cannot be resolved fails the command with BADURL. */
static void a_bad_url_fails_the_command(void **state)
{
	(void)state;
	session_run("C: a APPEND INBOX CATENATE (URL \"/INBOX/;UID=9\" TEXT {3+}\n"
		    "C: abc)\n"
		    "S: a NO [BADURL /INBOX/;UID=9] <*>\n"
		    "C: b APPEND INBOX CATENATE (URL \"/INBOX/;UID=1/;SECTION=7\")\n"
		    "S: b NO [BADURL /INBOX/;UID=1/;SECTION=7] <*>\n"
		    "C: c APPEND INBOX CATENATE (URL \"/INBOX;UIDVALIDITY=1/;UID=1\")\n"
		    "S: c NO [BADURL <*>] <*>\n"
		    "C: d APPEND INBOX CATENATE (URL \";UID=1\")\n"
		    "S: d NO [BADURL <*>] <*>\n"
		    "C: e APPEND INBOX CATENATE (URL "
		    "\"/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20({3})\")\n"
		    "S: e NO [BADURL <*>] <*>\n"
		    "C: f APPEND INBOX CATENATE (URL \"a]b\")\n"
		    "S: f NO No part has such a URL.\n"
		    "C: g STATUS INBOX (MESSAGES)\n"
		    "S: * STATUS INBOX (MESSAGES 1)\nS: g OK <*>\n",
		    a_multipart);
}

static void malformed_appends_are_refused(void **state)
{
	(void)state;
	session_run("C: a APPEND INBOX CATENATE\nS: a BAD Missing argument.\n"
		    "C: b APPEND INBOX CATENATE TEXT {1+}\nC: x\nS: b BAD Expected a list <*>\n"
		    "C: c APPEND INBOX CATENATE (FROB {1+}\nC: x)\nS: c BAD Expected URL or TEXT.\n"
		    "C: d APPEND INBOX CATENATE (TEXT {1+}\nC: x\nS: d BAD Expected a closing <*>\n"
		    "C: e APPEND INBOX CATENATE ()\nS: e BAD Expected URL or TEXT.\n"
		    "C: f APPEND INBOX CATENATE (TEXT {0+}\nC: )\nS: f NO [CANNOT] <*>\n"
		    "C: g APPEND INBOX UTF8 {1+}\nC: x\nS: g BAD Expected a list <*>\n"
		    "C: h APPEND INBOX ~x\nS: h BAD Expected a literal.\n"
		    "C: i STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 0)\nS: i OK <*>\n",
		    NULL);
}

static void the_limit_counts_all_parts(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.append = 10;
	session_run_limited(
		"C: a APPEND INBOX CATENATE (TEXT {6+}\nC: 123456 TEXT {5+}\nC: 12345)\n"
		"S: a NO [TOOBIG] <*>\n"
		"C: b APPEND INBOX CATENATE (TEXT {6+}\nC: 123456 URL \"/INBOX/;UID=1\")\n"
		"S: b NO [TOOBIG] <*>\n"
		"C: c APPEND INBOX CATENATE (TEXT {6+}\nC: 123456 TEXT {4+}\nC: 1234)\n"
		"S: c OK [APPENDUID <*>\n",
		a_multipart, &limits);
}

/* RFC 3516 4.4, RFC 6855 4: literal8 holds any byte. */
static void literal8_is_taken(void **state)
{
	(void)state;
	session_run("C: a APPEND INBOX ~{4+}\nC: a: b\nS: a OK [APPENDUID <*> 1] <*>\n"
		    "C: b APPEND INBOX (\\Seen) UTF8 (~{4}\nS: + OK\nC: a: c)\n"
		    "S: b OK [APPENDUID <*> 2] <*>\n",
		    NULL);
}

/* RFC 8508 3: the new message is there before the old one goes. */
static void replace_takes_the_place_of_a_message(void **state)
{
	(void)state;
	session_run("C: a SELECT INBOX\nU: a OK <*>\n"
		    "C: b REPLACE 1 INBOX (\\Draft) {3+}\nC: new\n"
		    "S: * OK [APPENDUID <*> 2] <*>\n"
		    "S: * 2 EXISTS\nS: * 2 RECENT\nS: * 1 EXPUNGE\nS: * 1 RECENT\n"
		    "S: b OK Replace completed.\n"
		    "C: c UID REPLACE 2 Sent {3}\nS: + OK\nC: new\n"
		    "S: * OK [APPENDUID <*> 1] <*>\n"
		    "S: * 1 EXPUNGE\nS: * 0 RECENT\nS: c OK <*>\n"
		    "C: d UID REPLACE 2 Sent {3+}\nC: new\nS: d NO [NONEXISTENT] <*>\n"
		    "C: e STATUS Sent (MESSAGES)\nS: * STATUS Sent (MESSAGES 1)\nS: e OK <*>\n",
		    a_multipart);
}

static void replace_that_fails_leaves_the_old_message(void **state)
{
	(void)state;
	session_run("C: a REPLACE 1 INBOX {3+}\nC: new\nS: a BAD No mailbox is selected.\n"
		    "C: b SELECT INBOX\nU: b OK <*>\n"
		    "C: c REPLACE 1 none {3+}\nC: new\nS: c NO [TRYCREATE] <*>\n"
		    "C: d REPLACE 2 INBOX {3+}\nC: new\nS: d BAD <*>\n"
		    "C: e REPLACE 1:2 INBOX {3+}\nC: new\nS: e BAD <*>\n"
		    "C: f REPLACE 1 INBOX {3+}\nC: new x\nS: f BAD <*>\n"
		    "C: g EXAMINE INBOX\nU: g OK <*>\n"
		    "C: h REPLACE 1 INBOX {3+}\nC: new\nS: h NO [READ-ONLY] <*>\n"
		    "C: i STATUS INBOX (MESSAGES UIDNEXT)\n"
		    "S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2)\nS: i OK <*>\n",
		    a_multipart);
}

/* RFC 9755 3: names in UTF-8, and "&" is itself; searches have no charset. */
static void utf8_accept_changes_names(void **state)
{
	(void)state;
	session_run("C: a CREATE Entw&APw-rfe\nS: a OK <*>\n"
		    "C: b ENABLE UTF8=ACCEPT\nS: * ENABLED UTF8=ACCEPT\nS: b OK <*>\n"
		    "C: c LIST \"\" Entw%\n"
		    "S: * LIST (\\HasNoChildren) \".\" \"Entw\xc3\xbcrfe\"\nS: c OK <*>\n"
		    "C: d STATUS \"Entw\xc3\xbcrfe\" (MESSAGES)\n"
		    "S: * STATUS \"Entw\xc3\xbcrfe\" (MESSAGES 0)\nS: d OK <*>\n"
		    "C: e CREATE A&APw-B\nS: e OK <*>\n"
		    "C: f LIST \"\" A%\nS: * LIST (\\HasNoChildren) \".\" A&APw-B\nS: f OK <*>\n"
		    "C: g SELECT \"\xff\"\nS: g BAD Mailbox name is not valid UTF-8.\n"
		    "C: h SELECT INBOX\nU: h OK <*>\n"
		    "C: i SEARCH CHARSET UTF-8 ALL\nS: i BAD <*>\n"
		    "C: j ENABLE UTF8=ACCEPT\nS: * ENABLED\nS: j OK <*>\n",
		    NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catenate_puts_parts_together),
		cmocka_unit_test(a_bad_url_fails_the_command),
		cmocka_unit_test(malformed_appends_are_refused),
		cmocka_unit_test(the_limit_counts_all_parts),
		cmocka_unit_test(literal8_is_taken),
		cmocka_unit_test(replace_takes_the_place_of_a_message),
		cmocka_unit_test(replace_that_fails_leaves_the_old_message),
		cmocka_unit_test(utf8_accept_changes_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
