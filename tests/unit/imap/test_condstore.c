/* CONDSTORE and QRESYNC (RFC 7162). */
#include "session_fixture.h"

static void three_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", 0);
	account_append(t, "INBOX", "Subject: two\r\n\r\nsecond\r\n", STORE_SEEN);
	account_append(t, "INBOX", "Subject: three\r\n\r\nthird\r\n", 0);
}

#define SELECT	"C: s SELECT INBOX\nU: s OK <*>\n"
#define QRESYNC "C: q ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: q OK <*>\n"

/* RFC 7162 3.1.2.1: HIGHESTMODSEQ in SELECT, for everybody; 3.1.7: in STATUS. */
static void the_highest_modseq_is_told(void **state)
{
	(void)state;
	session_run("C: a SELECT INBOX\nU: * OK [HIGHESTMODSEQ <*>] <*>\nS: a OK <*>\n"
		    "C: b STATUS INBOX (HIGHESTMODSEQ)\n"
		    "S: * OK [HIGHESTMODSEQ <*>] <*>\n"
		    "S: * STATUS INBOX (HIGHESTMODSEQ <*>)\nS: b OK <*>\n"
		    "C: c EXAMINE INBOX (CONDSTORE)\nU: * OK [HIGHESTMODSEQ <*>] <*>\nS: c OK <*>\n"
		    "C: d CAPABILITY\nS: * CAPABILITY <*> CONDSTORE QRESYNC<*>\nS: d OK <*>\n",
		    three_messages);
}

/* RFC 7162 3.1: once it is enabled, untagged FETCH responses have MODSEQ. */
static void changes_are_told_with_their_modseq(void **state)
{
	(void)state;
	session_run(SELECT "C: a STORE 1 +FLAGS (\\Flagged)\n"
			   "S: * 1 FETCH (FLAGS (\\Flagged \\Recent))\nS: a OK <*>\n"
			   "C: b ENABLE CONDSTORE\nS: * ENABLED CONDSTORE\n"
			   "S: * OK [HIGHESTMODSEQ <*>] <*>\nS: b OK <*>\n"
			   "C: c STORE 1 +FLAGS (\\Seen)\n"
			   "S: * 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent) MODSEQ (<*>))\n"
			   "S: c OK <*>\n"
			   "C: d UID STORE 1 -FLAGS.SILENT (\\Seen)\n"
			   "S: * 1 FETCH (UID 1 MODSEQ (<*>))\nS: d OK <*>\n"
			   "C2: a SELECT INBOX\nU2: a OK <*>\n"
			   "C2: b STORE 2 +FLAGS.SILENT (\\Deleted)\nS2: b OK <*>\n"
			   "C: e NOOP\n"
			   "S: * 2 FETCH (FLAGS (\\Deleted \\Seen \\Recent) MODSEQ (<*>))\n"
			   "S: e OK <*>\n",
		    three_messages);
}

/* RFC 7162 3.1.3: what has changed since is left alone and named in MODIFIED. */
static void a_conditional_store_leaves_what_has_changed(void **state)
{
	(void)state;
	session_run(
		SELECT
		"C: a STORE 1:3 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Deleted)\n"
		"S: * OK [HIGHESTMODSEQ <*>] <*>\n"
		"S: a OK [MODIFIED 1:3] <*>\n"
		"C: b UID STORE 2:3 (UNCHANGEDSINCE 0) +FLAGS (\\Deleted)\n"
		"S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (<*>))\n"
		"S: * 3 FETCH (UID 3 FLAGS (\\Recent) MODSEQ (<*>))\n"
		"S: b OK [MODIFIED 2:3] <*>\n"
		"C: c STORE 1,3 (UNCHANGEDSINCE 9223372036854775807) +FLAGS.SILENT (\\Flagged)\n"
		"S: * 1 FETCH (MODSEQ (<*>))\nS: * 3 FETCH (MODSEQ (<*>))\n"
		"S: c OK Store completed.\n",
		three_messages);
}

/* RFC 7162 3.2.10: VANISHED instead of EXPUNGE, UID in FETCH; 3.2.7: HIGHESTMODSEQ. */
static void qresync_tells_of_uids(void **state)
{
	(void)state;
	session_run(QRESYNC SELECT
		    "C: a STORE 1:2 +FLAGS (\\Deleted)\n"
		    "S: * 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent) MODSEQ (<*>))\n"
		    "S: * 2 FETCH (UID 2 FLAGS (\\Deleted \\Seen \\Recent) MODSEQ (<*>))\n"
		    "S: a OK <*>\n"
		    "C: b EXPUNGE\nS: * VANISHED 1:2\nS: * 1 RECENT\n"
		    "S: b OK [HIGHESTMODSEQ <*>] Expunge completed.\n"
		    "C: c UID MOVE 3 Trash\nS: * OK [COPYUID <*> 3 1] Moved.\n"
		    "S: * VANISHED 3\nS: * 0 RECENT\n"
		    "S: c OK [HIGHESTMODSEQ <*>] Move completed.\n"
		    "C: d EXAMINE Trash\nS: * OK [CLOSED] <*>\nU: d OK <*>\n",
		    three_messages);
}

/* RFC 7162 3.2.5.1: what vanished, then what changed, of the messages that the client knows. */
static void select_brings_a_client_up_to_date(void **state)
{
	(void)state;
	session_run(QRESYNC SELECT
		    "C: a STORE 2 +FLAGS.SILENT (\\Deleted)\nS: * 2 FETCH <*>\nS: a OK <*>\n"
		    "C: b EXPUNGE\nS: * VANISHED 2\nS: * 2 RECENT\nS: b OK <*>\n"
		    "C: c SELECT INBOX (QRESYNC (1 1))\n"
		    "S: * OK [CLOSED] <*>\nU: * OK [HIGHESTMODSEQ <*>] <*>\n"
		    "S: c OK <*>\n",
		    three_messages);
}

/* RFC 7162 3.1.4: MODSEQ, and only what changed since. */
static void fetch_tells_what_changed(void **state)
{
	(void)state;
	session_run(SELECT
		    "C: a FETCH 1 (MODSEQ)\n"
		    "S: * OK [HIGHESTMODSEQ <*>] <*>\n"
		    "S: * 1 FETCH (MODSEQ (<*>))\nS: a OK <*>\n"
		    "C: b FETCH 1:* (FLAGS) (CHANGEDSINCE 9223372036854775807)\nS: b OK <*>\n"
		    "C: c UID FETCH 2:3 (FLAGS) (CHANGEDSINCE 0)\n"
		    "S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (<*>))\n"
		    "S: * 3 FETCH (UID 3 FLAGS (\\Recent) MODSEQ (<*>))\nS: c OK <*>\n"
		    "C: d FETCH 1 BODY[TEXT]\n"
		    "S: * 1 FETCH (BODY[TEXT] {7}\nS: first\n"
		    "S:  FLAGS (\\Seen \\Recent) MODSEQ (<*>))\nS: d OK <*>\n"
		    "C: e FETCH 1 (MODSEQ UID) (CHANGEDSINCE 1)\n"
		    "S: * 1 FETCH (MODSEQ (<*>) UID 1)\nS: e OK <*>\n",
		    three_messages);
}

/* RFC 7162 3.2.6: what vanished of the UIDs asked for, before what changed. */
static void uid_fetch_tells_what_vanished(void **state)
{
	(void)state;
	session_run(
		QRESYNC SELECT
		"C: a STORE 1:2 +FLAGS.SILENT (\\Deleted)\n"
		"U: a OK <*>\n"
		"C: b EXPUNGE\nU: b OK <*>\n"
		"C: c UID FETCH 1:9 (UID) (CHANGEDSINCE 1 VANISHED)\n"
		"S: * VANISHED (EARLIER) 1:2\n"
		"S: * 1 FETCH (UID 3 MODSEQ (<*>))\nS: c OK <*>\n"
		"C: d UID FETCH 2 (UID) (VANISHED CHANGEDSINCE 1)\n"
		"S: * VANISHED (EARLIER) 2\nS: d OK <*>\n"
		"C: e FETCH 1 (UID) (CHANGEDSINCE 1 VANISHED)\nS: e BAD VANISHED goes with <*>\n"
		"C: f UID FETCH 1 (UID) (VANISHED)\nS: f BAD VANISHED goes with <*>\n",
		three_messages);
}

/* RFC 7162 3.1.5 */
static void search_finds_by_modseq(void **state)
{
	(void)state;
	session_run(SELECT "C: a SEARCH MODSEQ 1\n"
			   "S: * OK [HIGHESTMODSEQ <*>] <*>\n"
			   "S: * SEARCH 1 2 3 (MODSEQ <*>)\nS: a OK <*>\n"
			   "C: b UID SEARCH SEEN MODSEQ \"/flags/\\\\draft\" all 1\n"
			   "S: * SEARCH 2 (MODSEQ <*>)\nS: b OK <*>\n"
			   "C: c SEARCH MODSEQ 9223372036854775807\nS: * SEARCH\nS: c OK <*>\n"
			   "C: d SEARCH MODSEQ \"x\" none 1\nS: d BAD Expected all, <*>\n"
			   "C: e SEARCH MODSEQ\nS: e BAD Missing argument.\n",
		    three_messages);
}

static void malformed_arguments_are_refused(void **state)
{
	(void)state;
	session_run("C: a SELECT INBOX (QRESYNC (1 1))\nS: a BAD QRESYNC has to be enabled "
		    "first.\n" QRESYNC "C: b SELECT INBOX (FROB)\nS: b BAD Unknown parameter.\n"
		    "C: c SELECT INBOX (QRESYNC (1))\nS: c BAD <*>\n"
		    "C: d SELECT INBOX (QRESYNC (1 x))\nS: d BAD Expected a mod-sequence.\n"
		    "C: e SELECT INBOX (QRESYNC (1 9223372036854775808))\n"
		    "S: e BAD Mod-sequence too large.\n"
		    "C: f SELECT INBOX (QRESYNC (1 1 1:*))\nS: f BAD Invalid set <*>\n"
		    "C: g SELECT INBOX (QRESYNC (1 1 1:3 4:5))\nS: g BAD <*>\n"
		    "C: h SELECT INBOX (CONDSTORE\nS: h BAD Expected a closing <*>\n"
		    "C: i SELECT INBOX (QRESYNC (1 1 1:3 (1 2)))\nU: i OK <*>\n"
		    "C: j STORE 1 (UNCHANGEDSINCE) +FLAGS (\\Seen)\nS: j BAD <*>\n"
		    "C: k STORE 1 (FROB 1) +FLAGS (\\Seen)\nS: k BAD Unknown modifier.\n"
		    "C: l FETCH 1 (UID) (FROB)\nS: l BAD Unknown modifier.\n"
		    "C: m FETCH 1 (UID) (CHANGEDSINCE)\nS: m BAD <*>\n"
		    "C: n FETCH 1 (UID) CHANGEDSINCE 1\nS: n BAD Expected a list <*>\n",
		    three_messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_modseq_is_told),
		cmocka_unit_test(changes_are_told_with_their_modseq),
		cmocka_unit_test(a_conditional_store_leaves_what_has_changed),
		cmocka_unit_test(qresync_tells_of_uids),
		cmocka_unit_test(select_brings_a_client_up_to_date),
		cmocka_unit_test(fetch_tells_what_changed),
		cmocka_unit_test(uid_fetch_tells_what_vanished),
		cmocka_unit_test(search_finds_by_modseq),
		cmocka_unit_test(malformed_arguments_are_refused),
	};

	account_with_index = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
