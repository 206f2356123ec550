/* Conversations with a whole session (RFC 1939 sections 5 to 7). */
#include "pop3/session.h"

#include <stdio.h>

#include "account.h"
#include "transcript.h"

#define IDLE_MS 5000

struct pop3_case {
	struct account *account;
	enum pop3_session_end end;
};

static void serve(struct stream *s, void *ctx)
{
	struct pop3_case *c = ctx;
	struct pop3_session_params p = {
		.stream = s,
		.pool = c->account->pool,
		.mail_path = str_from(c->account->path),
		.idle_ms = IDLE_MS,
	};

	c->end = pop3_session_run(&p);
}

/* Run the script in every mode on a fresh account; afterwards `check_account` may look at it. */
static void run_and(const char *script, void (*prepare)(struct account *t),
		    enum pop3_session_end end, void (*check_account)(struct account *t))
{
	for (int mode = 0; mode < TRANSCRIPT_MODES; mode++) {
		void *state = NULL;
		assert_int_equal(account_setup(&state), 0);
		struct pop3_case c = { .account = state };
		if (prepare)
			prepare(c.account);
		transcript_run(script, mode, serve, &c);
		assert_int_equal(c.end, end);
		if (check_account)
			check_account(c.account);
		assert_int_equal(account_teardown(&state), 0);
	}
}

static void run(const char *script, void (*prepare)(struct account *t), enum pop3_session_end end)
{
	run_and(script, prepare, end, NULL);
}

static void three_messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\nline 1\r\n.\r\n..two\r\n", 0);
	account_append(t, "INBOX", "Subject: two\r\n\r\nno line end", 0);
	account_append(t, "INBOX", "Subject: three\r\n", 0);
}

#define HELLO "S: +OK Logged in.\n"
#define BYE   "C: QUIT\nS: +OK <*>\nX\n"

static void an_empty_maildrop_lists_nothing(void **state)
{
	(void)state;
	run(HELLO "C: STAT\nS: +OK 0 0\nC: LIST\nS: +OK\nS: .\nC: UIDL\nS: +OK\nS: .\n"
		  "C: RETR 1\nS: -ERR There is no such message.\nC: NOOP\nS: +OK\n" BYE,
	    NULL, POP3_SESSION_LOGOUT);
}

static void sizes_count_the_bytes_of_the_wire(void **state)
{
	(void)state;
	run(HELLO "C: STAT\nS: +OK 3 77\n"
		  "C: LIST\nS: +OK\nS: 1 34\nS: 2 27\nS: 3 16\nS: .\n"
		  "C: LIST 2\nS: +OK 2 27\n"
		  "C: DELE 2\nS: +OK <*>\n"
		  "C: STAT\nS: +OK 2 50\n"
		  "C: LIST\nS: +OK\nS: 1 34\nS: 3 16\nS: .\n"
		  "C: LIST 2\nS: -ERR There is no such message.\n"
		  "C: RSET\nS: +OK\nC: STAT\nS: +OK 3 77\n" BYE,
	    three_messages, POP3_SESSION_LOGOUT);
}

static void messages_come_stuffed_and_end_on_a_line_of_their_own(void **state)
{
	(void)state;
	run(HELLO "C: RETR 1\nS: +OK 34 octets\nS: Subject: one\nS: \nS: line 1\nS: ..\n"
		  "S: ...two\nS: .\n"
		  "C: RETR 2\nS: +OK 27 octets\nS: Subject: two\nS: \nS: no line end\nS: .\n"
		  "C: RETR 3\nS: +OK 16 octets\nS: Subject: three\nS: .\n" BYE,
	    three_messages, POP3_SESSION_LOGOUT);
}

static void top_ends_after_the_lines_asked_for(void **state)
{
	(void)state;
	run(HELLO "C: TOP 1 0\nS: +OK <*>\nS: Subject: one\nS: \nS: .\n"
		  "C: TOP 1 2\nS: +OK <*>\nS: Subject: one\nS: \nS: line 1\nS: ..\nS: .\n"
		  "C: TOP 2 99\nS: +OK <*>\nS: Subject: two\nS: \nS: no line end\nS: .\n"
		  "C: TOP 3 1\nS: +OK <*>\nS: Subject: three\nS: .\n"
		  "C: TOP 1\nS: -ERR <*>\nC: TOP 1 x\nS: -ERR <*>\nC: TOP 4 0\nS: -ERR <*>\n" BYE,
	    three_messages, POP3_SESSION_LOGOUT);
}

static void unique_ids_are_uid_and_uidvalidity(void **state)
{
	(void)state;
	run(HELLO "C: UIDL 2\nS: +OK 2 00000002<*>\n"
		  "C: UIDL\nS: +OK\nS: 1 00000001<*>\nS: 2 00000002<*>\nS: 3 00000003<*>\nS: .\n"
		  "C: UIDL 0\nS: -ERR <*>\n" BYE,
	    three_messages, POP3_SESSION_LOGOUT);
}

static void only_the_second_is_left(struct account *t)
{
	struct store_view *v = account_view(t, "INBOX", 0);

	assert_int_equal(store_view_count(v), 1);
	assert_int_equal(store_view_uid(v, 1), 2);
	assert_int_equal(account_message(t, v, 1).flags, STORE_SEEN | STORE_RECENT);
	store_view_close(v);
}

static void all_three_are_left(struct account *t)
{
	struct store_view *v = account_view(t, "INBOX", 0);

	assert_int_equal(store_view_count(v), 3);
	assert_int_equal(account_message(t, v, 2).flags & STORE_SEEN, 0);
	store_view_close(v);
}

static void quit_deletes_what_was_marked(void **state)
{
	(void)state;
	run_and(HELLO "C: DELE 1\nS: +OK <*>\nC: DELE 1\nS: -ERR <*>\nC: RETR 1\nS: -ERR <*>\n"
		      "C: RETR 2\nS: +OK <*>\nS: Subject: two\nS: \nS: no line end\nS: .\n"
		      "C: DELE 3\nS: +OK <*>\n" BYE,
		three_messages, POP3_SESSION_LOGOUT, only_the_second_is_left);
}

/* RFC 1939 6: a session that ends in another way deletes nothing. */
static void a_lost_connection_deletes_nothing(void **state)
{
	(void)state;
	run_and(HELLO "C: DELE 1\nS: +OK <*>\n"
		      "C: RETR 2\nS: +OK <*>\nS: Subject: two\nS: \nS: no line end\nS: .\n",
		three_messages, POP3_SESSION_DISCONNECTED, all_three_are_left);
}

static void nonsense_is_refused_and_much_of_it_ends_the_session(void **state)
{
	char script[4000] = HELLO;
	size_t n = strlen(script);
	static const char *const nonsense[] = { "",	  "FOO",    "RETR",   "RETR 1 2", "RETR x",
						"LIST 9", "STAT 1", "DELE 0", "USER x",	  "STLS" };

	(void)state;
	for (size_t i = 0; i < 19; i++)
		n += (size_t)snprintf(script + n, sizeof(script) - n, "C: %s\nS: -ERR <*>\n",
				      nonsense[i % ARRAY_LEN(nonsense)]);
	n += (size_t)snprintf(script + n, sizeof(script) - n, "C: NOOP\nS: +OK\n");
	for (size_t i = 0; i < 20; i++)
		n += (size_t)snprintf(script + n, sizeof(script) - n, "C: x\nS: -ERR <*>\n");
	snprintf(script + n, sizeof(script) - n, "S: -ERR Too many errors.\nX\n");
	run(script, three_messages, POP3_SESSION_REFUSED);
}

static void what_arrives_or_goes_meanwhile_changes_no_number(void **state)
{
	void *fresh = NULL;

	(void)state;
	assert_int_equal(account_setup(&fresh), 0);
	struct account *t = fresh;
	three_messages(t);
	struct pop3_case c = { .account = t };
	/* Two sessions: the second deletes what the first has listed. */
	transcript_run("S: +OK Logged in.\nC: STAT\nS: +OK 3 77\n"
		       "S2: +OK Logged in.\nC2: DELE 1\nS2: +OK <*>\nC2: QUIT\nS2: +OK <*>\nX2\n"
		       "C: STAT\nS: +OK 3 77\n"
		       "C: RETR 1\nS: -ERR The message was deleted by another session.\n"
		       "C: RETR 3\nS: +OK <*>\nS: Subject: three\nS: .\n"
		       "C: DELE 1\nS: +OK <*>\nC: QUIT\nS: +OK <*>\nX\n",
		       TRANSCRIPT_IN_STEP, serve, &c);
	struct store_view *v = account_view(t, "INBOX", 0);
	assert_int_equal(store_view_count(v), 2);
	store_view_close(v);
	assert_int_equal(account_teardown(&fresh), 0);
}

/* RFC 1939 3: the server closes without a word. */
static void silence_ends_the_session(void **state)
{
	(void)state;
	run_and(HELLO "C: DELE 1\nS: +OK <*>\nX\n", three_messages, POP3_SESSION_TIMEOUT,
		all_three_are_left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_maildrop_lists_nothing),
		cmocka_unit_test(sizes_count_the_bytes_of_the_wire),
		cmocka_unit_test(messages_come_stuffed_and_end_on_a_line_of_their_own),
		cmocka_unit_test(top_ends_after_the_lines_asked_for),
		cmocka_unit_test(unique_ids_are_uid_and_uidvalidity),
		cmocka_unit_test(quit_deletes_what_was_marked),
		cmocka_unit_test(a_lost_connection_deletes_nothing),
		cmocka_unit_test(nonsense_is_refused_and_much_of_it_ends_the_session),
		cmocka_unit_test(what_arrives_or_goes_meanwhile_changes_no_number),
		cmocka_unit_test(silence_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
