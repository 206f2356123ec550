/* Object identifiers (RFC 8474), and what STATUS tells of a mailbox beyond RFC 3501. */
#include "imap/object_id.h"

#include "session_fixture.h"

static void two_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", STORE_DELETED);
	account_append(t, "INBOX", "Subject: two\r\n\r\nsecond\r\n", 0);
}

static void id_of(const char *guid, char out[static 300])
{
	auto_buf struct buf b;

	buf_init(&b, NULL, 299);
	imap_object_id_write_email(&b, str_from(guid));
	memcpy(out, buf_str(&b).p, b.n);
	out[b.n] = '\0';
}

/* RFC 8474 section 7: objectid = 1*255(ALPHA / DIGIT / "_" / "-") */
static void identifiers_of_messages_are_object_ids(void **state)
{
	char id[300], other[300], guid[400];

	(void)state;
	id_of("1700000000.M1P2.host-a,S=5,W=6", id);
	assert_string_equal(id, "M1700000000_2eM1P2_2ehost-a");
	id_of("a_b", id);
	assert_string_equal(id, "Ma_5fb");
	memset(guid, '.', sizeof(guid) - 1);
	guid[sizeof(guid) - 1] = '\0';
	id_of(guid, id);
	assert_true(strlen(id) <= 255);
	guid[sizeof(guid) - 2] = 'x';
	id_of(guid, other);
	assert_string_not_equal(id, other);
}

/* RFC 8474 4: MAILBOXID in CREATE, SELECT and STATUS; it stays when the mailbox is renamed. */
static void mailboxes_have_an_identifier(void **state)
{
	(void)state;
	session_run("C: a CREATE one\nS: a OK [MAILBOXID (F<*>)] <*>\n"
		    "C: b STATUS one (MAILBOXID)\nS: * STATUS one (MAILBOXID (F<*>))\nS: b OK <*>\n"
		    "C: c RENAME one two\nS: c OK <*>\n"
		    "C: d LIST \"\" two RETURN (STATUS (MAILBOXID))\n"
		    "S: * LIST (\\HasNoChildren) \".\" two\n"
		    "S: * STATUS two (MAILBOXID (F<*>))\nS: d OK <*>\n"
		    "C: e STATUS two (MAILBOXIDS)\nS: e BAD Unknown status item.\n",
		    NULL);
}

/* RFC 8474 5: EMAILID is the same for copies; THREADID is NIL where there are no threads. */
static void messages_have_an_identifier(void **state)
{
	(void)state;
	session_run("C: a EXAMINE INBOX\n"
		    "S: * FLAGS <*>\nS: * OK [PERM<*>\nS: * 2 EXISTS\nS: * 2 RECENT\n"
		    "S: * OK [UNSEEN <*>\nS: * OK [UIDVALIDITY <*>\n"
		    "S: * OK [MAILBOXID (F<*>)] <*>\nU: a OK <*>\n"
		    "C: b FETCH 1 (EMAILID THREADID)\n"
		    "S: * 1 FETCH (EMAILID (M<*>) THREADID NIL)\nS: b OK <*>\n"
		    "C: c SEARCH THREADID T1\nS: * SEARCH\nS: c OK <*>\n"
		    "C: d SEARCH EMAILID M1\nS: * SEARCH\nS: d OK <*>\n"
		    "C: e SEARCH EMAILID\nS: e BAD Missing argument.\n",
		    two_messages);
}

/* RFC 7889 2: NIL where there is no limit. RFC 9051 6.3.11: DELETED counts \Deleted. */
static void status_tells_limits_and_what_is_deleted(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	session_run_limited("C: a STATUS INBOX (DELETED APPENDLIMIT)\n"
			    "S: * STATUS INBOX (DELETED 1 APPENDLIMIT NIL)\nS: a OK <*>\n"
			    "C: b CAPABILITY\nS: * CAPABILITY <*> APPENDLIMIT\nS: b OK <*>\n",
			    two_messages, &limits);
	limits.append = 1234;
	session_run_limited("C: a STATUS INBOX (APPENDLIMIT)\n"
			    "S: * STATUS INBOX (APPENDLIMIT 1234)\nS: a OK <*>\n"
			    "C: b CAPABILITY\nS: * CAPABILITY <*> APPENDLIMIT=1234\nS: b OK <*>\n",
			    NULL, &limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_of_messages_are_object_ids),
		cmocka_unit_test(mailboxes_have_an_identifier),
		cmocka_unit_test(messages_have_an_identifier),
		cmocka_unit_test(status_tells_limits_and_what_is_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
