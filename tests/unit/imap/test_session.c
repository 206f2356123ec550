/* Conversations with a whole session, mailbox level (RFC 3501 6.1, 6.3). */
#include <stdio.h>

#include "base/buf.h"
#include "core/group.h"
#include "session_fixture.h"
#include "transcript.h"

static void simple_commands_work_after_the_login(void **state)
{
	(void)state;
	session_run("C: a CAPABILITY\n"
		    "S: * CAPABILITY IMAP4rev1 <*>UIDPLUS<*>\n"
		    "S: a OK <*>\n"
		    "C: b noop\n"
		    "S: b OK <*>\n"
		    "C: c ID NIL\n"
		    "S: * ID <*>\n"
		    "S: c OK <*>\n"
		    "C: d NAMESPACE\n"
		    "S: * NAMESPACE ((\"\" \".\")) NIL NIL\n"
		    "S: d OK <*>\n"
		    "C: e ENABLE CONDSTORE X\n"
		    "S: * ENABLED\n"
		    "S: e OK <*>\n"
		    "C: f LOGOUT\n"
		    "S: * BYE <*>\n"
		    "S: f OK <*>\n"
		    "X\n",
		    NULL);
}

static void malformed_commands_get_a_tagged_bad(void **state)
{
	(void)state;
	session_run("C: a\nS: a BAD Missing argument.\n"
		    "C: \nS: * BAD Missing or invalid tag.\n"
		    "C: b FROB\nS: b BAD Unknown command.\n"
		    "C: c LOGIN a b\nS: c BAD Already logged in.\n"
		    "C: d FETCH 1 FLAGS\nS: d BAD No mailbox is selected.\n"
		    "C: e UID NOOP\nS: e BAD This command has no UID variant.\n"
		    "C: f SELECT\nS: f BAD Missing argument.\n"
		    "C: g SELECT INBOX x\nS: g BAD Unexpected text behind the command.\n"
		    "C: h SELECT \"x\nS: h BAD Missing closing quote.\n"
		    "C: i SELECT a&b\nS: i BAD Mailbox name is not valid modified UTF-7.\n"
		    "C: j STATUS INBOX (FROB)\nS: j BAD Unknown status item.\n"
		    "C: k CREATE {99999}\nS: k BAD Literal too large.\n",
		    NULL);
}

static void too_many_errors_end_the_session(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.errors = 2;
	session_run_limited("C: a X\nS: a BAD <*>\nC: b X\nS: * BYE <*>\nX\n", NULL, &limits);
	/* A session may last for days: only errors in a row count. */
	session_run_limited("C: a X\nS: a BAD <*>\nC: b NOOP\nS: b OK <*>\nC: c X\nS: c BAD <*>\n",
			    NULL, &limits);
}

static void long_lines_are_refused(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.line = 20;
	session_run_limited("C: a SELECT 901234567890\nS: a BAD Command line too long.\n"
			    "C: 0123456789012345678901\nS: * BAD Command line too long.\n"
			    "C: a{ 4567890123456789{9+}\nS: * BAD Command line too long.\n"
			    "C: b CREATE x {1}\nS: b BAD <*>\n"
			    "C: c LOGIN {1+}\nC: x 56789012345678901234{9+}\nS: c BAD <*>\n"
			    "C: b NOOP\nS: b OK <*>\n",
			    NULL, &limits);
}

static void silence_ends_the_session(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.idle_ms = 5000;
	session_run_limited("S: * BYE Disconnected for inactivity\nX\n", NULL, &limits);
	session_run_limited("C: a IDLE\nS: + idling\nS: * BYE Disconnected for inactivity\nX\n",
			    NULL, &limits);
}

static void special_folders_appear_with_the_first_list(void **state)
{
	(void)state;
	session_run("C: a LIST \"\" *\n"
		    "S: * LIST (\\HasNoChildren) \".\" INBOX\n"
		    "S: * LIST (\\HasNoChildren \\Drafts) \".\" Drafts\n"
		    "S: * LIST (\\HasNoChildren \\Junk) \".\" Junk\n"
		    "S: * LIST (\\HasNoChildren \\Sent) \".\" Sent\n"
		    "S: * LIST (\\HasNoChildren \\Trash) \".\" Trash\n"
		    "S: a OK <*>\n"
		    "C: b LSUB \"\" %\n"
		    "S: * LSUB () \".\" Drafts\n"
		    "S: * LSUB () \".\" Junk\n"
		    "S: * LSUB () \".\" Sent\n"
		    "S: * LSUB () \".\" Trash\n"
		    "S: b OK <*>\n"
		    "C: c LIST \"\" \"\"\n"
		    "S: * LIST (\\Noselect) \".\" \"\"\n"
		    "S: c OK <*>\n",
		    NULL);
}

static void folders_are_created_renamed_and_deleted(void **state)
{
	(void)state;
	session_run("C: a CREATE work.\nS: a OK <*>\n"
		    "C: b CREATE work.2024.q1\nS: b OK <*>\n"
		    "C: c CREATE WORK\nS: c OK <*>\n"
		    "C: d CREATE work\nS: d NO [ALREADYEXISTS] <*>\n"
		    "C: e LIST \"\" work%\n"
		    "S: * LIST (\\HasChildren) \".\" work\n"
		    "S: e OK <*>\n"
		    "C: f LIST work. *\n"
		    "S: * LIST (\\Noselect \\HasChildren) \".\" work.2024\n"
		    "S: * LIST (\\HasNoChildren) \".\" work.2024.q1\n"
		    "S: f OK <*>\n"
		    "C: g RENAME work jobs\nS: g OK <*>\n"
		    "C: h LIST \"\" jobs*\n"
		    "S: * LIST (\\HasChildren) \".\" jobs\n"
		    "S: * LIST (\\Noselect \\HasChildren) \".\" jobs.2024\n"
		    "S: * LIST (\\HasNoChildren) \".\" jobs.2024.q1\n"
		    "S: h OK <*>\n"
		    "C: i DELETE jobs\nS: i OK <*>\n"
		    "C: j DELETE work\nS: j NO [NONEXISTENT] <*>\n"
		    "C: k DELETE INBOX\nS: k NO [CANNOT] <*>\n"
		    "C: l SELECT jobs\nS: l NO [NONEXISTENT] <*>\n"
		    "C: m CREATE \"Entw&APw-rfe\"\nS: m OK <*>\n"
		    "C: n LIST \"\" \"Entw*\"\n"
		    "S: * LIST (\\HasNoChildren) \".\" Entw&APw-rfe\n"
		    "S: n OK <*>\n"
		    "C: o CREATE \"../x\"\nS: o NO [CANNOT] <*>\n",
		    NULL);
}

static void extended_list_selects_and_tells_more(void **state)
{
	(void)state;
	session_run(
		"C: a CREATE a.b\nS: a OK <*>\n"
		"C: b SUBSCRIBE a.b\nS: b OK <*>\n"
		"C: c SUBSCRIBE gone\nS: c OK <*>\n"
		"C: d LIST (SUBSCRIBED) \"\" (a.* go%)\n"
		"S: * LIST (\\HasNoChildren \\Subscribed) \".\" a.b\n"
		"S: * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \".\" gone\n"
		"S: d OK <*>\n"
		"C: e LIST (SUBSCRIBED RECURSIVEMATCH) \"\" a%\n"
		"S: * LIST (\\NonExistent \\HasChildren) \".\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
		"S: e OK <*>\n"
		"C: f LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED CHILDREN)\n"
		"S: * LIST (\\HasNoChildren \\Subscribed \\Drafts) \".\" Drafts\n"
		"S: * LIST (\\HasNoChildren \\Subscribed \\Junk) \".\" Junk\n"
		"S: * LIST (\\HasNoChildren \\Subscribed \\Sent) \".\" Sent\n"
		"S: * LIST (\\HasNoChildren \\Subscribed \\Trash) \".\" Trash\n"
		"S: f OK <*>\n"
		"C: g LIST \"\" INBOX RETURN (STATUS (MESSAGES UNSEEN))\n"
		"S: * LIST (\\HasNoChildren) \".\" INBOX\n"
		"S: * STATUS INBOX (MESSAGES 0 UNSEEN 0)\n"
		"S: g OK <*>\n"
		"C: h LIST (RECURSIVEMATCH) \"\" *\n"
		"S: h BAD <*>\n"
		"C: i LIST \"\" gone\n"
		"S: i OK <*>\n"
		"C: j LSUB \"\" %\n"
		"S: * LSUB () \".\" Drafts\n"
		"S: * LSUB () \".\" Junk\n"
		"S: * LSUB () \".\" Sent\n"
		"S: * LSUB () \".\" Trash\n"
		"S: * LSUB () \".\" gone\n"
		"S: * LSUB (\\Noselect) \".\" a\n"
		"S: j OK <*>\n"
		"C: k UNSUBSCRIBE gone\nS: k OK <*>\n"
		"C: l LSUB \"\" gone\nS: l OK <*>\n",
		NULL);
}

static void two_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", STORE_SEEN);
	account_append(t, "INBOX", "Subject: two\r\n\r\nsecond\r\n", 0);
}

static void select_reports_the_mailbox(void **state)
{
	(void)state;
	session_run(
		"C: a SELECT inbox\n"
		"S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
		"S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] <*>\n"
		"S: * 2 EXISTS\n"
		"S: * 2 RECENT\n"
		"S: * OK [UNSEEN 2] <*>\n"
		"S: * OK [UIDVALIDITY <*>] <*>\n"
		"S: * OK [MAILBOXID (F<*>)] <*>\n"
		"S: * OK [UIDNEXT 3] <*>\n"
		"S: a OK [READ-WRITE] <*>\n"
		"C: b EXAMINE INBOX\n"
		"S: * FLAGS <*>\n"
		"S: * OK [PERMANENTFLAGS ()] <*>\n"
		"S: * 2 EXISTS\n"
		"S: * 0 RECENT\n"
		"S: * OK [UNSEEN 2] <*>\n"
		"S: * OK [UIDVALIDITY <*>] <*>\n"
		"S: * OK [MAILBOXID (F<*>)] <*>\n"
		"S: * OK [UIDNEXT 3] <*>\n"
		"S: b OK [READ-ONLY] <*>\n"
		"C: c STORE 1 +FLAGS (\\Deleted)\n"
		"S: c NO [READ-ONLY] <*>\n"
		"C: d STATUS INBOX (MESSAGES RECENT UIDNEXT UNSEEN SIZE)\n"
		"S: * STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UNSEEN 1 SIZE <*>)\n"
		"S: d OK <*>\n"
		"C: e SELECT none\n"
		"S: e NO [NONEXISTENT] <*>\n"
		"C: f FETCH 1 FLAGS\n"
		"S: f BAD No mailbox is selected.\n",
		two_messages);
}

static void append_streams_messages_to_the_store(void **state)
{
	(void)state;
	session_run(
		"C: a APPEND INBOX (\\Seen $Later) \"17-Jul-1996 02:44:25 -0700\" {20}\n"
		"S: + OK\n"
		"C: Subject: x\n"
		"C: \n"
		"C: body\n"
		"C: \n"
		"S: a OK [APPENDUID <*> 1] <*>\n"
		"C: b SELECT INBOX\n"
		"S: * FLAGS (<*>$Later)\n"
		"S: * OK [PERM<*>\n"
		"S: * 1 EXISTS\n"
		"S: * 1 RECENT\n"
		"S: * OK [UIDVALIDITY <*>\n"
		"S: * OK [MAILBOXID (F<*>\n"
		"S: * OK [UIDNEXT 2] <*>\n"
		"S: b OK <*>\n"
		"C: c APPEND INBOX {3+}\n"
		"C: abc {3+}\n"
		"C: def\n"
		"S: * 3 EXISTS\n"
		"S: * 3 RECENT\n"
		"S: c OK [APPENDUID <*> 2:3] <*>\n"
		"C: d FETCH 1 (INTERNALDATE FLAGS)\n"
		"S: * 1 FETCH (INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" FLAGS (\\Seen \\Recent "
		"$Later))\n"
		"S: d OK <*>\n",
		NULL);
}

static void append_is_refused_before_its_message_is_read(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.append = 10;
	session_run_limited("C: a APPEND nowhere {3}\n"
			    "S: a NO [TRYCREATE] <*>\n"
			    "C: b APPEND nowhere {3+}\n"
			    "C: abc\n"
			    "S: b NO [TRYCREATE] <*>\n"
			    "C: c APPEND INBOX {11}\n"
			    "S: c NO [TOOBIG] <*>\n"
			    "C: d APPEND INBOX {11+}\n"
			    "C: 12345678901\n"
			    "S: d NO [TOOBIG] <*>\n"
			    "C: e APPEND INBOX (\\Frob) {1}\n"
			    "S: e BAD Unknown system flag.\n"
			    "C: f APPEND INBOX x\n"
			    "S: f BAD <*>\n"
			    "C: g APPEND INBOX {0}\n"
			    "S: g NO [CANNOT] <*>\n"
			    "C: h APPEND INBOX {1}\n"
			    "S: + OK\n"
			    "C: x y\n"
			    "S: h BAD <*>\n"
			    "C: i STATUS INBOX (MESSAGES)\n"
			    "S: * STATUS INBOX (MESSAGES 0)\n"
			    "S: i OK <*>\n",
			    NULL, &limits);
}

static void many_messages(struct account *t)
{
	for (int i = 0; i < 40; i++)
		account_append(t, "INBOX", "Subject: x\r\n\r\nx\r\n", 0);
}

static void a_message_that_becomes_seen_is_told_once(void **state)
{
	auto_buf struct buf script;

	(void)state;
	buf_init(&script, NULL, 8000);
	buf_puts(&script, "C: a SELECT INBOX\nS: * FLAGS <*>\nS: * OK <*>\nS: * 40 EXISTS\n"
			  "S: * 40 RECENT\nU: a OK <*>\n"
			  "C: b FETCH 1:* BODY[TEXT]\n");
	for (int i = 1; i <= 40; i++)
		buf_printf(&script,
			   "S: * %d FETCH (BODY[TEXT] {3}\nS: x\nS:  FLAGS (\\Seen \\Recent))\n",
			   i);
	buf_puts(&script, "S: b OK <*>\n");
	session_run(buf_cstr(&script), many_messages);
}

static void idle_tells_what_others_do(void **state)
{
	(void)state;
	session_run("C: a SELECT INBOX\n"
		    "S: * FLAGS <*>\nS: * OK <*>\nS: * 2 EXISTS\nS: * 2 RECENT\nU: a OK <*>\n"
		    "C: b IDLE\n"
		    "S: + idling\n"
		    "C2: a SELECT INBOX\n"
		    "S2: * FLAGS <*>\nS2: * OK <*>\nS2: * 2 EXISTS\nS2: * 0 RECENT\nU2: a OK <*>\n"
		    "C2: b STORE 2 +FLAGS (\\Flagged)\n"
		    "S2: * 2 FETCH (FLAGS (\\Flagged))\n"
		    "S2: b OK <*>\n"
		    "S: * 2 FETCH (FLAGS (\\Flagged \\Recent))\n"
		    "C2: c APPEND INBOX {1+}\n"
		    "C2: x\n"
		    "S2: * 3 EXISTS\n"
		    "S2: c OK <*>\n"
		    "S: * 3 EXISTS\n"
		    "S: * 3 RECENT\n"
		    "C2: d STORE 1 +FLAGS.SILENT (\\Deleted)\n"
		    "S2: d OK <*>\n"
		    "S: * 1 FETCH (FLAGS (\\Deleted \\Seen \\Recent))\n"
		    "C2: e EXPUNGE\n"
		    "S2: * 1 EXPUNGE\n"
		    "S2: e OK <*>\n"
		    "S: * 1 EXPUNGE\n"
		    "S: * 2 RECENT\n"
		    "C: DONE\n"
		    "S: b OK <*>\n"
		    "C: c IDLE\n"
		    "S: + idling\n"
		    "C: nonsense\n"
		    "S: c BAD Expected DONE.\n",
		    two_messages);
}

/* A program that this process knows nothing of: it delivers, and flags what it delivered. */
static void other_program(void *arg)
{
	struct account *t = arg;

	if (fiber_sleep(2500) < 0)
		return;
	account_write_file(t, "new/1700000000.M1P1.elsewhere", "Subject: x\n\nx\n");
	if (fiber_sleep(5000) < 0)
		return;
	char from[200], to[200];
	snprintf(from, sizeof(from), "%s/cur/1700000000.M1P1.elsewhere:2,", t->path);
	snprintf(to, sizeof(to), "%s/cur/1700000000.M1P1.elsewhere:2,F", t->path);
	assert_int_equal(rename(from, to), 0);
}

static void serve_beside_another_program(struct stream *s, void *ctx)
{
	struct account *t = ctx;
	struct imap_session_params p = {
		.stream = s,
		.pool = t->pool,
		.mail_path = str_from(t->path),
		.limits = IMAP_SESSION_LIMITS,
	};
	auto_group struct group g;

	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "other program", other_program, t), 0);
	p.limits.idle_poll_ms = 2000;
	imap_session_run(&p);
}

static void idle_finds_what_other_programs_do(void **state)
{
	void *account = NULL;

	(void)state;
	assert_int_equal(account_setup(&account), 0);
	transcript_run("C: a SELECT INBOX\n"
		       "S: * FLAGS <*>\nS: * OK <*>\nS: * 0 EXISTS\nS: * 0 RECENT\nU: a OK <*>\n"
		       "C: b IDLE\n"
		       "S: + idling\n"
		       "S: * 1 EXISTS\n"
		       "S: * 1 RECENT\n"
		       "S: * 1 FETCH (FLAGS (\\Flagged \\Recent))\n"
		       "C: DONE\n"
		       "S: b OK <*>\n",
		       TRANSCRIPT_IN_STEP, serve_beside_another_program, account);
	assert_int_equal(account_teardown(&account), 0);
}

static void a_mailbox_deleted_by_another_session_ends_this_one(void **state)
{
	(void)state;
	session_run("C: a CREATE x\nS: a OK <*>\n"
		    "C: b SELECT x\n"
		    "S: * FLAGS <*>\nS: * OK <*>\nS: * 0 EXISTS\nS: * 0 RECENT\nU: b OK <*>\n"
		    "C2: a DELETE x\n"
		    "S2: a OK <*>\n"
		    "C: c NOOP\n"
		    "S: * BYE The selected mailbox is gone\n"
		    "X\n",
		    NULL);
}

static void deleting_the_selected_mailbox_unselects_it(void **state)
{
	(void)state;
	session_run("C: a CREATE x\nS: a OK <*>\n"
		    "C: b SELECT x\n"
		    "S: * FLAGS <*>\nS: * OK <*>\nS: * 0 EXISTS\nS: * 0 RECENT\nU: b OK <*>\n"
		    "C: c DELETE x\n"
		    "S: c OK <*>\n"
		    "C: d FETCH 1 FLAGS\n"
		    "S: d BAD <*>\n",
		    NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_commands_work_after_the_login),
		cmocka_unit_test(malformed_commands_get_a_tagged_bad),
		cmocka_unit_test(too_many_errors_end_the_session),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(silence_ends_the_session),
		cmocka_unit_test(special_folders_appear_with_the_first_list),
		cmocka_unit_test(folders_are_created_renamed_and_deleted),
		cmocka_unit_test(extended_list_selects_and_tells_more),
		cmocka_unit_test(select_reports_the_mailbox),
		cmocka_unit_test(append_streams_messages_to_the_store),
		cmocka_unit_test(append_is_refused_before_its_message_is_read),
		cmocka_unit_test(a_message_that_becomes_seen_is_told_once),
		cmocka_unit_test(idle_tells_what_others_do),
		cmocka_unit_test(idle_finds_what_other_programs_do),
		cmocka_unit_test(a_mailbox_deleted_by_another_session_ends_this_one),
		cmocka_unit_test(deleting_the_selected_mailbox_unselects_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
