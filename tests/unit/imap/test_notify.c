/* NOTIFY (RFC 5465). */
#include "session_fixture.h"

static void two_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", 0);
	account_append(t, "INBOX", "Subject: two\r\n\r\nsecond\r\n", 0);
}

/* RFC 5465 5.2: a new message in the selected mailbox is told at once, with what was asked for; it
 * does not become \Seen. */
static void new_messages_are_told_at_once(void **state)
{
	(void)state;
	session_run(
		"C: a SELECT INBOX\nU: a OK <*>\n"
		"C: b NOTIFY SET (selected (MessageNew (UID FLAGS BODY[HEADER.FIELDS (SUBJECT)])"
		" MessageExpunge FlagChange))\nS: b OK <*>\n"
		"C2: a APPEND INBOX {16+}\nC2: Subject: three\nC2: \nS2: a OK <*>\n"
		"S: * 3 EXISTS\nS: * 3 RECENT\n"
		"S: * 3 FETCH (UID 3 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {<*>}\n"
		"S: Subject: three\nS: \nS: )\n"
		"C2: b SELECT INBOX\nU2: b OK <*>\n"
		"C2: c STORE 1 +FLAGS.SILENT (\\Deleted)\nS2: c OK <*>\n"
		"S: * 1 FETCH (FLAGS (\\Deleted \\Recent))\n"
		"C2: d EXPUNGE\nS2: * 1 EXPUNGE\nS2: d OK <*>\n"
		"S: * 1 EXPUNGE\nS: * 2 RECENT\n"
		"C: c NOOP\nS: c OK <*>\n",
		two_messages);
}

/* RFC 5465 6.2: expunges wait for a command that allows them. */
static void delayed_expunges_wait_for_a_command(void **state)
{
	(void)state;
	session_run("C: a SELECT INBOX\nU: a OK <*>\n"
		    "C: b NOTIFY SET (selected-delayed (MessageNew MessageExpunge))\nS: b OK <*>\n"
		    "C2: b SELECT INBOX\nU2: b OK <*>\n"
		    "C2: c STORE 1 +FLAGS.SILENT (\\Deleted)\nS2: c OK <*>\n"
		    "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))\n"
		    "C2: d EXPUNGE\nS2: * 1 EXPUNGE\nS2: d OK <*>\n"
		    "C2: e APPEND INBOX {3+}\nC2: new\nS2: * 2 EXISTS\nS2: e OK <*>\n"
		    "S: * 3 EXISTS\nS: * 3 RECENT\n"
		    "C: c NOOP\nS: * 1 EXPUNGE\nS: * 2 RECENT\nS: c OK <*>\n",
		    two_messages);
}

/* RFC 5465 5.2 to 5.5: STATUS for other mailboxes, LIST for names and subscriptions. */
static void other_mailboxes_are_told_by_status_and_list(void **state)
{
	(void)state;
	session_run("C: a CREATE x\nS: a OK <*>\n"
		    "C: b NOTIFY SET STATUS (mailboxes (INBOX none) (MessageNew MessageExpunge)) "
		    "(subtree x (MessageNew MessageExpunge MailboxName)) (personal "
		    "(SubscriptionChange))\n"
		    "S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY <*>)\n"
		    "S: * STATUS x (MESSAGES 0 UIDNEXT 1 UIDVALIDITY <*>)\nS: b OK <*>\n"
		    "C2: a APPEND INBOX {3+}\nC2: new\nS2: a OK <*>\n"
		    "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY <*>)\n"
		    "C2: b SELECT INBOX\nU2: b OK <*>\n"
		    "C2: c STORE 1 +FLAGS (\\Seen)\nS2: * 1 FETCH <*>\nS2: c OK <*>\n"
		    "C2: d CREATE x.y\nS2: d OK <*>\nS: * LIST () \".\" x.y\n"
		    "C2: e CREATE z\nS2: e OK <*>\n"
		    "C2: f SUBSCRIBE Sent\nS2: f OK <*>\nS: * LIST (\\Subscribed) \".\" Sent\n"
		    "C2: g UNSUBSCRIBE Sent\nS2: g OK <*>\nS: * LIST () \".\" Sent\n"
		    "C2: h RENAME x.y x.w\nS2: h OK <*>\n"
		    "S: * LIST () \".\" x.w (\"OLDNAME\" (x.y))\n"
		    "C2: i DELETE x.w\nS2: i OK <*>\nS: * LIST (\\NonExistent) \".\" x.w\n"
		    "C: c NOOP\nS: c OK <*>\n",
		    two_messages);
}

/* RFC 5465 3.1: a new SET replaces the last one; NONE ends it. It works in IDLE as well. */
static void what_is_told_can_be_changed_and_ended(void **state)
{
	(void)state;
	session_run("C: a NOTIFY SET (inboxes (MessageNew MessageExpunge))\nS: a OK <*>\n"
		    "C: b IDLE\nS: + idling\n"
		    "C2: a APPEND INBOX {3+}\nC2: new\nS2: a OK <*>\n"
		    "S: * STATUS INBOX (MESSAGES 3 <*>)\n"
		    "C: DONE\nS: b OK <*>\n"
		    "C: c NOTIFY SET (personal NONE)\nS: c OK <*>\n"
		    "C2: b APPEND INBOX {3+}\nC2: new\nS2: b OK <*>\n"
		    "C: d NOTIFY NONE\nS: d OK <*>\n"
		    "C2: c APPEND INBOX {3+}\nC2: new\nS2: c OK <*>\n"
		    "C: e NOOP\nS: e OK <*>\n",
		    two_messages);
}

static void malformed_and_unknown_events_are_refused(void **state)
{
	(void)state;
	session_run(
		"C: a NOTIFY\nS: a BAD Missing argument.\n"
		"C: b NOTIFY FROB\nS: b BAD Expected SET or NONE.\n"
		"C: c NOTIFY SET (frob (MessageNew MessageExpunge))\nS: c BAD Unknown filter <*>\n"
		"C: d NOTIFY SET (personal (MessageNew))\nS: d BAD MessageNew and <*>\n"
		"C: e NOTIFY SET (personal (FlagChange))\nS: e BAD MessageNew and <*>\n"
		"C: f NOTIFY SET (personal (MessageNew (UID) MessageExpunge))\nS: f BAD Only of "
		"<*>\n"
		"C: g NOTIFY SET (selected (MessageNew MessageExpunge)) (selected-delayed "
		"(MessageNew MessageExpunge))\nS: g BAD Two groups <*>\n"
		"C: h NOTIFY SET (personal (AnnotationChange))\nS: h NO [BADEVENT (<*>)] <*>\n"
		"C: i NOTIFY SET (selected (MessageNew (FROB) MessageExpunge))\nS: i BAD Unknown "
		"<*>\n"
		"C: j NOTIFY SET personal NONE\nS: j BAD Expected a list <*>\n",
		NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_messages_are_told_at_once),
		cmocka_unit_test(delayed_expunges_wait_for_a_command),
		cmocka_unit_test(other_mailboxes_are_told_by_status_and_list),
		cmocka_unit_test(what_is_told_can_be_changed_and_ended),
		cmocka_unit_test(malformed_and_unknown_events_are_refused),
	};

	account_with_index = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
