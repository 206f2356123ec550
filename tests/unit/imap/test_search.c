/* What a search returns and how (RFC 4731, 5182, 9394), and that it is still at work (RFC 9585). */
#include "base/buf.h"
#include "session_fixture.h"

static void three_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nfirst\r\n", STORE_FLAGGED);
	account_append(t, "INBOX", "Subject: two\r\nX: y\r\n\r\nsecond\r\n", 0);
	account_append(t, "INBOX", "Subject: three\r\n\r\nthird\r\n", STORE_FLAGGED);
}

#define SELECT "C: s EXAMINE INBOX\nU: s OK <*>\n"

/* RFC 4731 3.1. */
static void only_what_is_asked_for_is_returned(void **state)
{
	(void)state;
	session_run(SELECT "C: a SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED\n"
			   "S: * ESEARCH (TAG \"a\") MIN 1 MAX 3 COUNT 2 ALL 1,3\nS: a OK <*>\n"
			   "C: b UID SEARCH RETURN () SUBJECT t\n"
			   "S: * ESEARCH (TAG \"b\") UID ALL 2:3\nS: b OK <*>\n"
			   "C: c SEARCH RETURN (ALL COUNT) HEADER X z\n"
			   "S: * ESEARCH (TAG \"c\") COUNT 0\nS: c OK <*>\n"
			   "C: d SEARCH RETURN (PARTIAL -1:-1 COUNT) ALL\n"
			   "S: * ESEARCH (TAG \"d\") COUNT 3 PARTIAL (-1:-1 3)\nS: d OK <*>\n",
		    three_messages);
}

/* RFC 5182 2.1. */
static void what_was_found_can_be_used_again(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH $ UID\nS: a OK <*>\n"
			   "C: b SEARCH RETURN (SAVE) FLAGGED\nS: b OK <*>\n"
			   "C: c FETCH $ UID\nS: * 1 FETCH (UID 1)\nS: * 3 FETCH (UID 3)\n"
			   "S: c OK <*>\n"
			   "C: d UID SEARCH NOT $\nS: * SEARCH 2\nS: d OK <*>\n"
			   "C: e SEARCH RETURN (SAVE) CHARSET x-none ALL\nS: e NO [BADCHARSET<*>\n"
			   "C: f SEARCH $\nS: * SEARCH\nS: f OK <*>\n",
		    three_messages);
}

/* RFC 9051 6.4.4: "the server MUST return ESEARCH". */
static void imap4rev2_knows_no_other_answer(void **state)
{
	(void)state;
	session_run("C: e ENABLE IMAP4rev2\nU: e OK <*>\n" SELECT "C: a SEARCH FLAGGED\n"
		    "S: * ESEARCH (TAG \"a\") ALL 1,3\nS: a OK <*>\n",
		    three_messages);
}

/* RFC 9585 4: "INPROGRESS" with tag, progress and goal. */
static void a_long_search_says_that_it_is_at_work(void **state)
{
	struct imap_session_limits limits = IMAP_SESSION_LIMITS;

	(void)state;
	limits.progress_ms = 0;
	session_run_limited(SELECT "C: a SEARCH BODY second\n"
				   "S: * OK [INPROGRESS (\"a\" 1 3)] Still working.\n"
				   "S: * OK [INPROGRESS (\"a\" 2 3)] Still working.\n"
				   "S: * OK [INPROGRESS (\"a\" 3 3)] Still working.\n"
				   "S: * SEARCH 2\nS: a OK <*>\n",
			    three_messages, &limits);
}

/* RFC 7162 3.1.10: the highest mod-sequence of what was found. */
static void an_extended_answer_tells_the_highest_mod_sequence(void **state)
{
	(void)state;
	session_run(SELECT "C: a SEARCH RETURN (COUNT) MODSEQ 1\n"
			   "S: * OK [HIGHESTMODSEQ <*>\n"
			   "S: * ESEARCH (TAG \"a\") COUNT 3 MODSEQ <*>\nS: a OK <*>\n"
			   "C: b SEARCH RETURN (ALL) MODSEQ 9223372036854775807\n"
			   "S: * ESEARCH (TAG \"b\")\nS: b OK <*>\n",
		    three_messages);
}

/* RFC 9394 3.2: PARTIAL behind the items of a FETCH. */
static void a_part_of_a_fetch_can_be_asked_for(void **state)
{
	(void)state;
	session_run(SELECT "C: a UID FETCH 1:* (UID) (PARTIAL -1:-2)\n"
			   "S: * 2 FETCH (UID 2)\nS: * 3 FETCH (UID 3)\nS: a OK <*>\n"
			   "C: b UID FETCH 2:* (UID) (PARTIAL 1:1)\n"
			   "S: * 2 FETCH (UID 2)\nS: b OK <*>\n"
			   "C: c UID FETCH 1:* (UID) (PARTIAL 4:9)\nS: c OK <*>\n"
			   "C: d UID FETCH 1:* (UID) (PARTIAL 0:9)\nS: d BAD <*>\n"
			   "C: e UID FETCH 1:* (UID) (PARTIAL)\nS: e BAD <*>\n",
		    three_messages);
}

/* RFC 5267 4.3: UPDATE, ADDTO, REMOVEFROM, CANCELUPDATE, NOUPDATE. */
static void results_are_kept_up_to_date(void **state)
{
	(void)state;
	session_run("C: s SELECT INBOX\nU: s OK <*>\n"
		    "C: a UID SEARCH RETURN (UPDATE COUNT) FLAGGED\n"
		    "S: * ESEARCH (TAG \"a\") UID COUNT 2\nS: a OK <*>\n"
		    "C: b SEARCH RETURN (UPDATE ALL CONTEXT) SUBJECT t\n"
		    "S: * ESEARCH (TAG \"b\") ALL 2:3\nS: b OK <*>\n"
		    "C: c STORE 1:2 FLAGS.SILENT (\\Answered)\n"
		    "U: * ESEARCH (TAG \"a\") UID REMOVEFROM (0 1)\nS: c OK <*>\n"
		    "C: d STORE 1:2 +FLAGS.SILENT (\\Flagged \\Deleted)\n"
		    "U: * ESEARCH (TAG \"a\") UID ADDTO (0 1:2)\nS: d OK <*>\n"
		    "C: e EXPUNGE\n"
		    "S: * ESEARCH (TAG \"b\") REMOVEFROM (0 2)\n"
		    "S: * ESEARCH (TAG \"a\") UID REMOVEFROM (0 1:2)\n"
		    "S: * 2 EXPUNGE\nS: * 1 EXPUNGE\nU: e OK <*>\n"
		    "C: f CANCELUPDATE \"a\"\nS: f OK <*>\n"
		    "C: g CANCELUPDATE \"a\" \"b\"\nS: g NO <*>\n"
		    "C: h STORE 1 -FLAGS.SILENT (\\Flagged)\nU: h OK <*>\n"
		    "C: i CANCELUPDATE\nS: i BAD <*>\n",
		    three_messages);
}

static void more_than_can_be_kept_is_refused(void **state)
{
	auto_buf struct buf b;

	(void)state;
	buf_init(&b, NULL, 10000);
	buf_puts(&b, "C: s SELECT INBOX\nU: s OK <*>\n");
	for (int i = 0; i < 16; i++)
		buf_printf(&b, "C: a%d SEARCH RETURN (UPDATE COUNT) SEEN\nU: a%d OK <*>\n", i, i);
	buf_puts(&b, "C: b SEARCH RETURN (UPDATE COUNT) SEEN\n"
		     "S: * ESEARCH (TAG \"b\") COUNT 0\n"
		     "S: * NO [NOUPDATE \"b\"] <*>\nS: b OK <*>\n"
		     "C: c CLOSE\nS: c OK <*>\nC: d SELECT INBOX\nU: d OK <*>\n"
		     "C: e SEARCH RETURN (UPDATE COUNT) SEEN\n"
		     "S: * ESEARCH (TAG \"e\") COUNT 0\nS: e OK <*>\n");
	session_run(buf_cstr(&b), three_messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_asked_for_is_returned),
		cmocka_unit_test(what_was_found_can_be_used_again),
		cmocka_unit_test(imap4rev2_knows_no_other_answer),
		cmocka_unit_test(a_long_search_says_that_it_is_at_work),
		cmocka_unit_test(an_extended_answer_tells_the_highest_mod_sequence),
		cmocka_unit_test(results_are_kept_up_to_date),
		cmocka_unit_test(more_than_can_be_kept_is_refused),
		cmocka_unit_test(a_part_of_a_fetch_can_be_asked_for),
	};

	account_with_index = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
