/* Conversations with a whole session, message level (RFC 3501 6.4). */
#include <stdio.h>

#include "session_fixture.h"

#define SELECT                                                                                     \
	"C: s SELECT INBOX\n"                                                                      \
	"S: * FLAGS <*>\nS: * OK <*>\nS: * 3 EXISTS\nS: * 3 RECENT\nU: s OK <*>\n"

static void three_messages(struct account *t)
{
	account_append(t, "INBOX",
		       "Date: Tue, 02 Jan 2024 10:00:00 +0100\r\n"
		       "From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: one\r\n\r\n"
		       "line 1\r\nline 2\r\n",
		       0);
	account_append(t, "INBOX",
		       "From: c@example.org\r\n"
		       "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
		       "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		       "preamble\r\n"
		       "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
		       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		       "M=FCnchen liegt=\r\n an der Isar\r\n"
		       "--b\r\nContent-Type: message/rfc822\r\n\r\n"
		       "Subject: inner\r\n\r\ninner body\r\n"
		       "--b--\r\n",
		       0);
	account_append(t, "INBOX", "Subject: three\r\n\r\nthe third\r\n", STORE_FLAGGED);
}

static void fetch_gives_what_is_known_of_a_message(void **state)
{
	(void)state;
	session_run(
		SELECT
		"C: a FETCH 1:3 (UID RFC822.SIZE FLAGS)\n"
		"S: * 1 FETCH (UID 1 RFC822.SIZE 115 FLAGS (\\Recent))\n"
		"S: * 2 FETCH (UID 2 RFC822.SIZE <*> FLAGS (\\Recent))\n"
		"S: * 3 FETCH (UID 3 RFC822.SIZE 29 FLAGS (\\Flagged \\Recent))\n"
		"S: a OK <*>\n"
		"C: b UID FETCH 2:* FLAGS\n"
		"S: * 2 FETCH (UID 2 FLAGS (\\Recent))\n"
		"S: * 3 FETCH (UID 3 FLAGS (\\Flagged \\Recent))\n"
		"S: b OK <*>\n"
		"C: c UID FETCH 7:9 FLAGS\n"
		"S: c OK <*>\n"
		"C: d UID FETCH 900:* UID\n"
		"S: * 3 FETCH (UID 3)\n"
		"S: d OK <*>\n"
		"C: e FETCH 4 FLAGS\n"
		"S: e BAD No message has such a number.\n"
		"C: i FETCH 1 (UID RFC822.SIZE UID)\n"
		"S: * 1 FETCH (UID 1 RFC822.SIZE 115)\n"
		"S: i OK <*>\n"
		"C: f FETCH 3,1 UID\n"
		"S: * 1 FETCH (UID 1)\n"
		"S: * 3 FETCH (UID 3)\n"
		"S: f OK <*>\n"
		"C: g FETCH 1 ALL\n"
		"S: * 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"<*>\" RFC822.SIZE 115 ENVELOPE "
		"(\"Tue, 02 "
		"Jan 2024 10:00:00 +0100\" \"one\" ((\"A\" NIL \"a\" \"example.org\")) ((\"A\" NIL "
		"\"a\" "
		"\"example.org\")) ((\"A\" NIL \"a\" \"example.org\")) ((NIL NIL \"b\" "
		"\"example.org\")) "
		"NIL NIL NIL NIL))\n"
		"S: g OK <*>\n"
		"C: h FETCH 2 BODY\n"
		"S: * 2 FETCH (BODY ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"iso-8859-1\") NIL NIL "
		"\"QUOTED-PRINTABLE\" 30 1)(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 28 (NIL "
		"\"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" (\"CHARSET\" "
		"\"us-ascii\") NIL NIL \"7BIT\" 10 0) 2) \"MIXED\"))\n"
		"S: h OK <*>\n",
		three_messages);
}

static void fetch_gives_every_section_of_a_message(void **state)
{
	(void)state;
	session_run(SELECT
		    "C: a FETCH 3 BODY.PEEK[]\n"
		    "S: * 3 FETCH (BODY[] {29}\n"
		    "S: Subject: three\nS: \nS: the third\nS: )\n"
		    "S: a OK <*>\n"
		    "C: b FETCH 3 (BODY.PEEK[HEADER] BODY.PEEK[TEXT])\n"
		    "S: * 3 FETCH (BODY[HEADER] {18}\n"
		    "S: Subject: three\nS: \nS:  BODY[TEXT] {11}\n"
		    "S: the third\nS: )\n"
		    "S: b OK <*>\n"
		    "C: c FETCH 1 BODY.PEEK[HEADER.FIELDS (subject date)]\n"
		    "S: * 1 FETCH (BODY[HEADER.FIELDS (subject date)] {55}\n"
		    "S: Date: Tue, 02 Jan 2024 10:00:00 +0100\nS: Subject: one\nS: \nS: )\n"
		    "S: c OK <*>\n"
		    "C: d FETCH 2 (BODY.PEEK[1] BODY.PEEK[1.MIME]<0.9>)\n"
		    "S: * 2 FETCH (BODY[1] {30}\n"
		    "S: M=FCnchen liegt=\nS:  an der Isar BODY[1.MIME]<0> {9}\n"
		    "S: Content-T)\n"
		    "S: d OK <*>\n"
		    "C: e FETCH 2 (BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.1])\n"
		    "S: * 2 FETCH (BODY[2.HEADER] {18}\n"
		    "S: Subject: inner\nS: \nS:  BODY[2.TEXT] {10}\n"
		    "S: inner body BODY[2.1] {10}\n"
		    "S: inner body)\n"
		    "S: e OK <*>\n"
		    "C: f FETCH 2 (BODY.PEEK[3] BODY.PEEK[1.HEADER])\n"
		    "S: * 2 FETCH (BODY[3] NIL BODY[1.HEADER] NIL)\n"
		    "S: f OK <*>\n"
		    "C: g FETCH 1 (BODY.PEEK[TEXT]<6.4> BODY.PEEK[1]<15.9> BODY.PEEK[]<999.1>)\n"
		    "S: * 1 FETCH (BODY[TEXT]<6> {4}\n"
		    "S: \nS: li BODY[1]<15> {1}\n"
		    "S: \n"
		    "S:  BODY[]<999> {0}\n"
		    "S: )\n"
		    "S: g OK <*>\n"
		    "C: h FETCH 3 RFC822.HEADER\n"
		    "S: * 3 FETCH (RFC822.HEADER {18}\n"
		    "S: Subject: three\nS: \nS: )\n"
		    "S: h OK <*>\n",
		    three_messages);
}

static void reading_the_text_sets_seen(void **state)
{
	(void)state;
	session_run(SELECT
		    "C: a FETCH 3 RFC822.TEXT\n"
		    "S: * 3 FETCH (RFC822.TEXT {11}\n"
		    "S: the third\nS:  FLAGS (\\Flagged \\Seen \\Recent))\n"
		    "S: a OK <*>\n"
		    "C: b FETCH 3 (FLAGS BODY[TEXT])\n"
		    "S: * 3 FETCH (FLAGS (\\Flagged \\Seen \\Recent) BODY[TEXT] {11}\n"
		    "S: the third\nS: )\n"
		    "S: b OK <*>\n"
		    "C: c FETCH 1 (FLAGS BODY[TEXT]<0.1>)\n"
		    "S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT]<0> {1}\n"
		    "S: l)\n"
		    "S: c OK <*>\n"
		    "C: d EXAMINE INBOX\n"
		    "S: * FLAGS <*>\nS: * OK <*>\nS: * 3 EXISTS\nS: * 0 RECENT\nU: d OK <*>\n"
		    "C: e FETCH 2 BODY[TEXT]<0.1>\n"
		    "S: * 2 FETCH (BODY[TEXT]<0> {1}\n"
		    "S: p)\n"
		    "S: e OK <*>\n"
		    "C: f FETCH 2 FLAGS\n"
		    "S: * 2 FETCH (FLAGS ())\n"
		    "S: f OK <*>\n",
		    three_messages);
}

static void store_answers_with_the_new_flags(void **state)
{
	(void)state;
	session_run(SELECT "C: a STORE 1:2 +FLAGS (\\Seen $New)\n"
			   "S: * FLAGS (<*> $New)\n"
			   "S: * OK [PERMANENTFLAGS (<*> $New \\*)] <*>\n"
			   "S: * 1 FETCH (FLAGS (\\Seen \\Recent $New))\n"
			   "S: * 2 FETCH (FLAGS (\\Seen \\Recent $New))\n"
			   "S: a OK <*>\n"
			   "C: b UID STORE 1 -FLAGS $New\n"
			   "S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))\n"
			   "S: b OK <*>\n"
			   "C: c STORE 2 FLAGS \\Answered \\Draft\n"
			   "S: * 2 FETCH (FLAGS (\\Answered \\Draft \\Recent))\n"
			   "S: c OK <*>\n"
			   "C: d STORE 2 FLAGS.SILENT ()\n"
			   "S: d OK <*>\n"
			   "C: e STORE 1:3 -FLAGS.SILENT ($Unknown \\Seen)\n"
			   "S: e OK <*>\n"
			   "C: f FETCH 1:3 FLAGS\n"
			   "S: * 1 FETCH (FLAGS (\\Recent))\n"
			   "S: * 2 FETCH (FLAGS (\\Recent))\n"
			   "S: * 3 FETCH (FLAGS (\\Flagged \\Recent))\n"
			   "S: f OK <*>\n"
			   "C: g STORE 1 +FLAGS (\\Recent \\Seen)\n"
			   "S: * 1 FETCH (FLAGS (\\Seen \\Recent))\n"
			   "S: g OK <*>\n"
			   "C: h STORE 1 FLAGS (\\*)\n"
			   "S: h BAD <*>\n"
			   "C: i STORE 1 FROB (\\Seen)\n"
			   "S: i BAD <*>\n",
		    three_messages);
}

static void expunge_renumbers_from_the_end(void **state)
{
	(void)state;
	session_run(SELECT
		    "C: a STORE 1,3 +FLAGS.SILENT (\\Deleted)\n"
		    "S: a OK <*>\n"
		    "C: b UID EXPUNGE 2:3\n"
		    "S: * 3 EXPUNGE\n"
		    "S: * 2 RECENT\n"
		    "S: b OK <*>\n"
		    "C: c EXPUNGE\n"
		    "S: * 1 EXPUNGE\n"
		    "S: * 1 RECENT\n"
		    "S: c OK <*>\n"
		    "C: d FETCH 1 UID\n"
		    "S: * 1 FETCH (UID 2)\n"
		    "S: d OK <*>\n"
		    "C: e STORE 1 +FLAGS.SILENT (\\Deleted)\n"
		    "S: e OK <*>\n"
		    "C: f CLOSE\n"
		    "S: f OK <*>\n"
		    "C: g STATUS INBOX (MESSAGES UIDNEXT)\n"
		    "S: * STATUS INBOX (MESSAGES 0 UIDNEXT 4)\n"
		    "S: g OK <*>\n"
		    "C: h SELECT INBOX\n"
		    "S: * FLAGS <*>\nS: * OK <*>\nS: * 0 EXISTS\nS: * 0 RECENT\nU: h OK <*>\n"
		    "C: i FETCH 1:* FLAGS\n"
		    "S: i OK <*>\n"
		    "C: k FETCH 1 FLAGS\n"
		    "S: k BAD <*>\n"
		    "C: j UID FETCH 1:* FLAGS\n"
		    "S: j OK <*>\n",
		    three_messages);
}

static void copy_and_move_tell_the_new_uids(void **state)
{
	(void)state;
	session_run(SELECT "C: a CREATE x\nS: a OK <*>\n"
			   "C: b COPY 1:2 x\n"
			   "S: b OK [COPYUID <*> 1:2 1:2] <*>\n"
			   "C: c UID MOVE 3 x\n"
			   "S: * OK [COPYUID <*> 3 3] <*>\n"
			   "S: * 3 EXPUNGE\n"
			   "S: * 2 RECENT\n"
			   "S: c OK <*>\n"
			   "C: d COPY 1 nowhere\n"
			   "S: d NO [TRYCREATE] <*>\n"
			   "C: e MOVE 1 nowhere\n"
			   "S: e NO [TRYCREATE] <*>\n"
			   "C: f UID COPY 99 x\n"
			   "S: f OK Copy completed.\n"
			   "C: g STATUS x (MESSAGES)\n"
			   "S: * STATUS x (MESSAGES 3)\n"
			   "S: g OK <*>\n"
			   "C: h UNSELECT\n"
			   "S: h OK <*>\n"
			   "C: i RENAME INBOX old\n"
			   "S: i OK <*>\n"
			   "C: j STATUS old (MESSAGES)\n"
			   "S: * STATUS old (MESSAGES 2)\n"
			   "S: j OK <*>\n"
			   "C: k STATUS INBOX (MESSAGES)\n"
			   "S: * STATUS INBOX (MESSAGES 0)\n"
			   "S: k OK <*>\n",
		    three_messages);
}

static void expunges_by_others_wait_for_the_right_moment(void **state)
{
	(void)state;
	session_run(SELECT "C2: a SELECT INBOX\n"
			   "S2: * FLAGS <*>\nS2: * OK <*>\nS2: * 3 EXISTS\nS2: * 0 RECENT\n"
			   "U2: a OK <*>\n"
			   "C2: b STORE 1 +FLAGS.SILENT (\\Deleted)\nS2: b OK <*>\n"
			   "C2: c EXPUNGE\nS2: * 1 EXPUNGE\nS2: c OK <*>\n"
			   "C: a FETCH 1:3 UID\n"
			   "S: * 2 FETCH (UID 2)\n"
			   "S: * 3 FETCH (UID 3)\n"
			   "S: a NO [EXPUNGEISSUED] <*>\n"
			   "C: b SEARCH ALL\n"
			   "S: * SEARCH 2 3\n"
			   "S: b OK <*>\n"
			   "C: c STORE 2 +FLAGS (\\Seen)\n"
			   "S: * 2 FETCH (FLAGS (\\Seen \\Recent))\n"
			   "S: c OK <*>\n"
			   "C: d NOOP\n"
			   "S: * 1 EXPUNGE\n"
			   "S: * 2 RECENT\n"
			   "S: d OK <*>\n",
		    three_messages);
}

static void search_finds_by_every_key(void **state)
{
	static const struct {
		const char *keys, *found;
	} table[] = {
		{ "ALL", " 1 2 3" },
		{ "1,3", " 1 3" },
		{ "*", " 3" },
		{ "UID 2:9", " 2 3" },
		{ "FLAGGED", " 3" },
		{ "UNFLAGGED", " 1 2" },
		{ "NEW", " 1 2 3" },
		{ "OLD", "" },
		{ "RECENT UNSEEN", " 1 2 3" },
		{ "NOT FLAGGED 2:3", " 2" },
		{ "OR FLAGGED SUBJECT one", " 1 3" },
		{ "(SUBJECT three FLAGGED)", " 3" },
		{ "NOT (SUBJECT three FLAGGED)", " 1 2" },
		{ "KEYWORD $none", "" },
		{ "UNKEYWORD $none", " 1 2 3" },
		{ "FROM EXAMPLE.ORG", " 1 2" },
		{ "TO b@", " 1" },
		{ "CC b@", "" },
		{ "HEADER Content-Type \"\"", " 2" },
		{ "HEADER To example", " 1" },
		{ "SUBJECT {7+}\\nC: Gr\xc3\xbc\xc3\x9f"
		  "e",
		  " 2" },
		{ "CHARSET UTF-8 SUBJECT {7+}\\nC: GR\xc3\x9c\xc3\x9f"
		  "E",
		  " 2" },
		{ "CHARSET ISO-8859-1 BODY {7+}\\nC: m\xfcnchen", " 2" },
		{ "BODY \"liegt an der\"", " 2" },
		{ "BODY inner", " 2" },
		{ "BODY preamble", "" },
		{ "BODY \"line 1\"", " 1" },
		{ "BODY subject", " 2" },
		{ "TEXT subject", " 1 2 3" },
		{ "TEXT quoted-printable", " 2" },
		{ "BODY \"\"", " 1 2 3" },
		{ "LARGER 100", " 1 2" },
		{ "SMALLER 29", "" },
		{ "SMALLER 30", " 3" },
		{ "SENTON 2-Jan-2024", " 1" },
		{ "SENTBEFORE 3-Jan-2024", " 1" },
		{ "SENTSINCE 3-Jan-2024", "" },
		{ "BEFORE 1-Jan-2000", "" },
		{ "SINCE 1-Jan-2000", " 1 2 3" },
	};
	char script[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char keys[200] = "";
		const char *nl = strstr(table[i].keys, "\\n");
		if (nl)
			snprintf(keys, sizeof(keys), "%.*s\n%s", (int)(nl - table[i].keys),
				 table[i].keys, nl + 2);
		else
			snprintf(keys, sizeof(keys), "%s", table[i].keys);
		snprintf(script, sizeof(script),
			 SELECT "C: a SEARCH %s\nS: * SEARCH%s\nS: a OK <*>\n", keys,
			 table[i].found);
		session_run(script, three_messages);
	}
}

static void malformed_searches_are_refused(void **state)
{
	(void)state;
	session_run(SELECT "C: a SEARCH\nS: a BAD <*>\n"
			   "C: b SEARCH FROB\nS: b BAD Unknown search key.\n"
			   "C: c SEARCH NOT\nS: c BAD Missing argument.\n"
			   "C: d SEARCH OR SEEN\nS: d BAD Missing argument.\n"
			   "C: e SEARCH (SEEN\nS: e BAD <*>\n"
			   "C: f SEARCH ()\nS: f BAD <*>\n"
			   "C: g SEARCH CHARSET X-KLINGON ALL\nS: g NO [BADCHARSET <*>] <*>\n"
			   "C: h SEARCH SINCE yesterday\nS: h BAD Invalid date.\n"
			   "C: i SEARCH 9\nS: * SEARCH\nS: i OK <*>\n"
			   "C: l SEARCH 2:9 OR 1 3\nS: * SEARCH 3\nS: l OK <*>\n"
			   "C: j UID SEARCH UID 2\nS: * SEARCH 2\nS: j OK <*>\n"
			   "C: k UID SEARCH 3\nS: * SEARCH 3\nS: k OK <*>\n",
		    three_messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetch_gives_what_is_known_of_a_message),
		cmocka_unit_test(fetch_gives_every_section_of_a_message),
		cmocka_unit_test(reading_the_text_sets_seen),
		cmocka_unit_test(store_answers_with_the_new_flags),
		cmocka_unit_test(expunge_renumbers_from_the_end),
		cmocka_unit_test(copy_and_move_tell_the_new_uids),
		cmocka_unit_test(expunges_by_others_wait_for_the_right_moment),
		cmocka_unit_test(search_finds_by_every_key),
		cmocka_unit_test(malformed_searches_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
