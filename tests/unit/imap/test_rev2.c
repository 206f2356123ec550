/* IMAP4rev2 (RFC 9051): what a client that enabled it is told. */
#include "session_fixture.h"

static void two_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", 0);
	account_append(t, "INBOX", "Subject: two\r\n\r\nsecond\r\n", 0);
}

#define ENABLE "C: e ENABLE IMAP4rev2\nS: * ENABLED IMAP4rev2\nS: e OK <*>\n"

/* RFC 9051 6.3.2: FLAGS, EXISTS and LIST; nothing of \Recent (appendix E); CLOSED for the mailbox
 * before (7.1). */
static void select_tells_the_name_and_nothing_of_recent(void **state)
{
	(void)state;
	session_run(ENABLE "C: a SELECT inbox\n"
			   "S: * FLAGS <*>\nS: * OK [PERM<*>\nS: * 2 EXISTS\n"
			   "S: * LIST () \".\" INBOX\n"
			   "S: * OK [UIDVALIDITY <*>\nS: * OK [MAILBOXID <*>\n"
			   "S: * OK [UIDNEXT 3] <*>\nS: a OK [READ-WRITE] <*>\n"
			   "C: b FETCH 1:2 FLAGS\n"
			   "S: * 1 FETCH (FLAGS ())\nS: * 2 FETCH (FLAGS ())\nS: b OK <*>\n"
			   "C: c APPEND INBOX {1+}\nC: x\n"
			   "S: * 3 EXISTS\nS: c OK [APPENDUID <*>\n"
			   "C: d EXAMINE Sent\nS: * OK [CLOSED] <*>\nU: d OK <*>\n"
			   "C: f UNSELECT\nS: f OK <*>\n"
			   "C: g EXAMINE Sent\nS: * FLAGS <*>\nU: g OK <*>\n",
		    two_messages);
}

/* RFC 9051 5.1: UTF-8 in names. 6.3.9: \NonExistent. 6.3.9.7: OLDNAME. */
static void names_are_utf8(void **state)
{
	(void)state;
	session_run(ENABLE "C: a CREATE \"\xc3\xbc.x\"\nS: a OK <*>\n"
			   "C: b LIST \"\" \xc3\xbc*\n"
			   "S: * LIST (\\NonExistent \\HasChildren) \".\" \"\xc3\xbc\"\n"
			   "S: * LIST (\\HasNoChildren) \".\" \"\xc3\xbc.x\"\nS: b OK <*>\n"
			   "C: c RENAME \xc3\xbc \"a b\"\n"
			   "S: * LIST () \".\" \"a b\" (\"OLDNAME\" (\"\xc3\xbc\"))\nS: c OK <*>\n"
			   "C: d CREATE \"x\\\"\xc3\xbc\"\nS: d OK <*>\n"
			   "C: f LIST \"\" x%\n"
			   "S: * LIST (\\HasNoChildren) \".\" \"x\\\"\xc3\xbc\"\nS: f OK <*>\n",
		    NULL);
}

/* RFC 9051 6.4.4: answers to SEARCH are ESEARCH; the result can be used again as "$" (6.4.4.1). */
static void searches_are_answered_with_esearch(void **state)
{
	(void)state;
	session_run(ENABLE "C: a SELECT INBOX\nU: a OK <*>\n"
			   "C: b SEARCH ALL\nS: * ESEARCH (TAG \"b\") ALL 1:2\nS: b OK <*>\n"
			   "C: c UID SEARCH RETURN (COUNT) SUBJECT two\n"
			   "S: * ESEARCH (TAG \"c\") UID COUNT 1\nS: c OK <*>\n"
			   "C: d SEARCH RETURN (SAVE) SUBJECT two\nS: d OK <*>\n"
			   "C: f FETCH $ BINARY.PEEK[1]\n"
			   "S: * 2 FETCH (BINARY[1] {8}\nS: second\nS: )\nS: f OK <*>\n",
		    two_messages);
}

/* RFC 9051 section 1: one that did not enable it sees RFC 3501. */
static void rev1_clients_see_nothing_new(void **state)
{
	(void)state;
	session_run("C: s CAPABILITY\nS: * CAPABILITY IMAP4rev1 IMAP4rev2 <*>\nS: s OK <*>\n"
		    "C: a SELECT INBOX\n"
		    "S: * FLAGS <*>\nS: * OK [PERM<*>\nS: * 2 EXISTS\nS: * 2 RECENT\n"
		    "S: * OK [UNSEEN 1] <*>\nU: a OK <*>\n"
		    "C: b SELECT Sent\nS: * FLAGS <*>\nU: b OK <*>\n"
		    "C: c RENAME Sent x\nS: c OK <*>\n"
		    "C: d SELECT INBOX\nU: d OK <*>\n"
		    "C: e SEARCH ALL\nS: * SEARCH 1 2\nS: e OK <*>\n",
		    two_messages);
}

static void a_message_in_utf8(struct account *t)
{
	account_append(t, "INBOX",
		       "Content-Type: message/global\r\n\r\nSubject: in\r\n\r\nbody\r\n", 0);
}

/* RFC 9051 section 9: media-message = "MESSAGE" SP ("RFC822" / "GLOBAL") */
static void a_message_in_utf8_shows_what_is_in_it(void **state)
{
	(void)state;
	session_run("C: a EXAMINE INBOX\nU: a OK <*>\n"
		    "C: b FETCH 1 BODY\n"
		    "S: * 1 FETCH (BODY (\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 21))\n"
		    "S: b OK <*>\n"
		    "C: e ENABLE IMAP4rev2\nS: * ENABLED <*>\nS: e OK <*>\n"
		    "C: c FETCH 1 BODY\n"
		    "S: * 1 FETCH (BODY (\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 21 "
		    "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
		    "(\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 6 1) 3))\n"
		    "S: c OK <*>\n",
		    a_message_in_utf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(select_tells_the_name_and_nothing_of_recent),
		cmocka_unit_test(names_are_utf8),
		cmocka_unit_test(searches_are_answered_with_esearch),
		cmocka_unit_test(a_message_in_utf8_shows_what_is_in_it),
		cmocka_unit_test(rev1_clients_see_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
