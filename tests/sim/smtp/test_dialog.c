/* What is said in sessions where nothing goes wrong, and in those where the client is wrong. */
#include "sim.h"

#include <errno.h>
#include <stdio.h>

#define TEST(name, port, env)                                                                      \
	static void name##_body(struct sim *sim);                                                  \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		sim_run(port, env, name##_body);                                                   \
	}                                                                                          \
	static void name##_body(struct sim *sim)

static const char *const clear_auth[] = { "POSTHORN_ALLOW_PLAINTEXT_AUTH=1", NULL };
static const char *const own_names[] = { "POSTHORN_ALLOW_PLAINTEXT_AUTH=1",
					 "POSTHORN_CHECK_HEADER_FROM=1", NULL };
static const char *const spoof[] = { "POSTHORN_ALLOW_PLAINTEXT_AUTH=1", "SPOOF_PROTECTION=1",
				     NULL };

TEST(a_message_goes_in, SMTP_PORT_MX, NULL)
{
	sim_talk(sim, "S: 220 mail.example.org ESMTP\n"
		      "C: EHLO client.example.net\n"
		      "S: 250-mail.example.org\n"
		      "S: 250-PIPELINING\n"
		      "S: 250-SIZE 10240000\n"
		      "S: 250-ENHANCEDSTATUSCODES\n"
		      "S: 250-8BITMIME\n"
		      "S: 250-SMTPUTF8\n"
		      "S: 250-CHUNKING\n"
		      "S: 250-BINARYMIME\n"
		      "S: 250-LIMITS RCPTMAX=1000\n"
		      "S: 250 HELP\n"
		      "C: MAIL FROM:<sender@example.net> SIZE=100\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: DATA\n"
		      "S: 354 End data with <CR><LF>.<CR><LF>\n"
		      "C: Subject: hello\n"
		      "C: Message-ID: <1@example.net>\n"
		      "C: \n"
		      "C: ..dot\n"
		      "C: .\n"
		      "S: 250 2.0.0 Ok: queued as *\n"
		      "C: QUIT\n"
		      "S: 221 2.0.0 Bye\n");
	sim_expect_closed(sim);
	assert_int_equal(sim->submitted, 1);
	assert_str(sim->sender, "sender@example.net");
	assert_int_equal(sim->recipient_count, 1);
	assert_str(sim->recipients[0], "alice@example.org");
	assert_str(sim->body, "Subject: hello\r\nMessage-ID: <1@example.net>\r\n\r\n.dot\r\n");
	assert_true(str_starts(sim->head, STR("Received: from client.example.net (unknown "
					      "[192.0.2.1])\r\n\tby mail.example.org (Posthorn) "
					      "with ESMTP id ")));
	assert_true(str_find(sim->head, STR("\r\n\tfor <alice@example.org>;\r\n\t")) > 0);
	sim_expect_log(sim, "connect from unknown[192.0.2.1]\n");
	sim_expect_log(sim, ": client=unknown[192.0.2.1]\n");
	sim_expect_log(sim, ": message-id=<1@example.net>\n");
	sim_expect_log(sim, "disconnect from unknown[192.0.2.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 "
			    "commands=5\n");
}

TEST(a_group_of_commands_is_answered_in_order, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim,
		 "C: MAIL FROM:<>\n"
		 "C: RCPT TO:<nobody@example.org>\n"
		 "C: RCPT TO:<team@example.org>\n"
		 "C: RCPT TO:<bob@example.org>\n"
		 "C: DATA\n"
		 "S: 250 2.1.0 Ok\n"
		 "S: 550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in "
		 "virtual mailbox table\n"
		 "S: 250 2.1.5 Ok\n"
		 "S: 250 2.1.5 Ok\n"
		 "S: 354 End data with <CR><LF>.<CR><LF>\n"
		 "C: text\n"
		 "C: .\n"
		 "C: RSET\n"
		 "C: MAIL FROM:<a@b.example>\n"
		 "S: 250 2.0.0 Ok: queued as *\n"
		 "S: 250 2.0.0 Ok\n"
		 "S: 250 2.1.0 Ok\n");
	/* bob was named twice, by himself and by the alias. */
	assert_int_equal(sim->recipient_count, 2);
	assert_str(sim->originals[1], "team@example.org");
	assert_int_equal(sim->sender.n, 0);
	/* Text without a header is kept apart from ours, and several recipients are not named. */
	assert_true(str_ends(sim->head, STR("\r\n\r\n")));
	assert_true(str_find(sim->head, STR("for <")) < 0);
	sim_expect_log(sim, "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 "
			    "<nobody@example.org>: Recipient address rejected: User unknown in "
			    "virtual mailbox table");
	sim_expect_log(sim, " to=<nobody@example.org> proto=ESMTP helo=<client.example.net>");
}

TEST(commands_out_of_order_are_refused, SMTP_PORT_MX, NULL)
{
	sim_talk(sim, "S: 220 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 503 5.5.1 Error: send HELO/EHLO first\n"
		      "C: HELO client.example.net\n"
		      "S: 250 mail.example.org\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 503 5.5.1 Error: need MAIL command\n"
		      "C: DATA\n"
		      "S: 503 5.5.1 Error: need RCPT command\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 503 5.5.1 Error: nested MAIL command\n"
		      "C: DATA\n"
		      "S: 503 5.5.1 Error: need RCPT command\n"
		      "C: RCPT TO:<a@elsewhere.example>\n"
		      "S: 554 5.7.1 <a@elsewhere.example>: Relay access denied\n"
		      "C: DATA\n"
		      "S: 554 5.5.1 Error: no valid recipients\n"
		      "C: HELO client.example.net\n"
		      "S: 250 mail.example.org\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 503 5.5.1 Error: need MAIL command\n");
}

TEST(malformed_commands_are_refused, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: EHLO\n"
		      "S: 501 5.5.4 Syntax: EHLO hostname\n"
		      "C: MAIL\n"
		      "S: 501 5.5.4 Syntax: MAIL FROM:<address>\n"
		      "C: MAIL FROM:<a b@c>\n"
		      "S: 501 5.1.7 Bad sender address syntax\n"
		      "C: MAIL FROM:<a@b.example> SIZE=1 SIZE=2\n"
		      "S: 501 5.5.4 Error: parameter given twice\n"
		      "C: MAIL FROM:<a@b.example> SIZE=10240001\n"
		      "S: 552 5.3.4 Message size exceeds fixed limit\n"
		      "C: MAIL FROM:<a@b.example> RET=FULL\n"
		      "S: 501 5.7.1 DSN support is disabled\n"
		      "C: mail from: <a@b.example>  body=8bitmime\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<>\n"
		      "S: 501 5.1.3 Bad recipient address syntax\n"
		      "C: RCPT\n"
		      "S: 501 5.5.4 Syntax: RCPT TO:<address>\n");
}

TEST(other_commands_have_their_answers, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: NOOP anything\n"
		      "S: 250 2.0.0 Ok\n"
		      "C: VRFY alice\n"
		      "S: 252 2.1.0 *\n"
		      "C: VRFY\n"
		      "S: 501 5.5.4 Syntax: VRFY address\n"
		      "C: HELP\n"
		      "S: 214-2.0.0 *\n"
		      "S: 214 2.0.0 *\n"
		      "C: EXPN staff\n"
		      "S: 500 5.5.2 Error: command not recognized\n"
		      "C: AUTH PLAIN\n"
		      "S: 503 5.5.1 Error: authentication not enabled\n"
		      "C: STARTTLS\n"
		      "S: 502 5.5.1 Error: command not implemented\n"
		      "C: RSET\n"
		      "S: 250 2.0.0 Ok\n");
}

TEST(recipients_are_judged_by_the_tables, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<denied@example.org>\n"
		      "S: 450 4.7.9 <denied@example.org>: Recipient address rejected: not today\n"
		      "C: RCPT TO:<loop@example.org>\n"
		      "S: 451 4.3.5 *\n"
		      "C: RCPT TO:<postmaster>\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: RSET\n"
		      "S: 250 2.0.0 Ok\n"
		      "C: MAIL FROM:<banned@b.example>\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 554 5.7.1 <banned@b.example>: Sender address rejected: Access denied\n");
}

TEST(a_strange_helo_is_refused_at_rcpt, SMTP_PORT_MX, NULL)
{
	sim_talk(sim, "S: 220 *\n"
		      "C: HELO localhost\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 504 5.5.2 <localhost>: Helo command rejected: need fully-qualified "
		      "hostname\n"
		      "C: HELO -bad-\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 501 5.5.2 <-bad->: Helo command rejected: Invalid name\n"
		      "C: HELO [192.0.2.1]\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 *\n");
}

TEST(utf8_addresses_need_smtputf8, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<j\xc3\xb6rg@example.net>\n"
		      "S: 553 5.6.7 Error: non-ASCII address needs SMTPUTF8\n"
		      "C: MAIL FROM:<j\xc3\xb6rg@example.net> SMTPUTF8\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<\xc3\xa4@elsewhere.example>\n"
		      "S: 554 5.7.1 <\xc3\xa4@elsewhere.example>: Relay access denied\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: DATA\n"
		      "S: 354 *\n"
		      "C: .\n"
		      "S: 250 *\n");
	assert_int_equal(sim->flags, ENVELOPE_SMTPUTF8);
	assert_int_equal(sim->body.n, 0);
	assert_true(str_find(sim->head, STR("with UTF8SMTP id")) > 0);
}

TEST(strangers_cannot_submit, SMTP_PORT_SUBMISSION, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied\n");
}

TEST(users_log_in_with_plain, SMTP_PORT_SUBMISSION, clear_auth)
{
	sim_greet(sim);
	/* \0alice@example.org\0secret, and the same with "wrong" */
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdyb25n\n"
		      "S: 535 5.7.8 Error: authentication failed: *\n"
		      "C: AUTH PLAIN\n"
		      "S: 334 \n"
		      "C: *\n"
		      "S: 501 5.7.0 Authentication aborted\n"
		      "C: AUTH CRAM-MD5\n"
		      "S: 504 5.5.4 Error: unrecognized authentication type\n"
		      "C: AUTH PLAIN !!!\n"
		      "S: 501 5.5.2 *\n"
		      "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\n"
		      "S: 235 2.7.0 Authentication successful\n"
		      "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\n"
		      "S: 503 5.5.1 Error: already authenticated\n"
		      "C: MAIL FROM:<alice@example.org> RET=HDRS ENVID=a+2Bb\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<bob@example.org> NOTIFY=SUCCESS ORCPT=rfc822;b+40c\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: DATA\n"
		      "S: 354 *\n"
		      "C: User-Agent: secret\n"
		      "C: Subject: x\n"
		      "C: Bcc: hidden@example.org\n"
		      "C: \n"
		      "C: text\n"
		      "C: .\n"
		      "S: 250 *\n");
	assert_int_equal(sim->logins, 2);
	assert_str(sim->auth_user, "alice@example.org");
	assert_str(sim->envid, "a+b");
	assert_str(sim->orcpt, "rfc822;b@c");
	assert_int_equal(sim->notify, ENVELOPE_NOTIFY_SUCCESS);
	assert_int_equal(sim->flags, ENVELOPE_RET_HDRS);
	/* Nothing tells where alice is, and what her client forgot is there. */
	assert_str(sim->body, "Subject: x\r\n\r\ntext\r\n");
	assert_true(str_starts(sim->head,
			       STR("Received: by mail.example.org (Posthorn) with ESMTPA ")));
	assert_true(str_find(sim->head, STR("192.0.2.1")) < 0);
	assert_true(str_find(sim->head, STR("\r\nMessage-ID: <")) > 0);
	assert_true(str_find(sim->head, STR("\r\nDate: ")) > 0);
	sim_expect_log(sim,
		       "unknown[192.0.2.1]: SASL PLAIN authentication failed: Password mismatch, "
		       "sasl_username=alice@example.org");
	sim_expect_log(sim, "client=unknown[192.0.2.1], sasl_method=PLAIN, "
			    "sasl_username=alice@example.org\n");
}

TEST(users_log_in_with_login, SMTP_PORT_SUBMISSION, clear_auth)
{
	sim_greet(sim);
	sim_talk(sim,
		 "C: AUTH LOGIN\n"
		 "S: 334 VXNlcm5hbWU6\n"
		 "C: YWxpY2VAZXhhbXBsZS5vcmc=\n"
		 "S: 334 UGFzc3dvcmQ6\n"
		 "C: c2VjcmV0\n"
		 "S: 235 2.7.0 Authentication successful\n"
		 "C: MAIL FROM:<alice@example.org>\n"
		 "S: 250 2.1.0 Ok\n"
		 "C: RCPT TO:<a@elsewhere.example>\n"
		 "S: 550 5.1.2 <a@elsewhere.example>: Recipient address rejected: mail to other "
		 "servers is not delivered here\n");
}

TEST(guessing_passwords_ends_the_session, SMTP_PORT_SUBMISSION, clear_auth)
{
	sim_greet(sim);
	for (int i = 0; i < 4; i++)
		sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdyb25n\n"
			      "S: 535 5.7.8 *\n");
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHdyb25n\n"
		      "S: 421 4.7.0 mail.example.org Error: authentication failed too often\n");
	sim_expect_closed(sim);
}

TEST(a_login_sends_from_its_own_addresses_only, SMTP_PORT_SUBMISSION, spoof)
{
	sim_greet(sim);
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\n"
		      "S: 235 *\n"
		      "C: MAIL FROM:<bob@example.org>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 553 5.7.1 <bob@example.org>: Sender address rejected: not owned by user "
		      "alice@example.org\n"
		      "C: RSET\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 *\n");
}

static void send_from(struct sim *sim, const char *header, const char *reply)
{
	char script[800];

	snprintf(script, sizeof(script),
		 "C: MAIL FROM:<alice@example.org>\nS: 250 *\n"
		 "C: RCPT TO:<bob@example.org>\nS: 250 *\nC: DATA\nS: 354 *\n"
		 "%sC: \nC: text\nC: .\nS: %s\n",
		 header, reply);
	sim_talk(sim, script);
}

TEST(a_login_writes_in_its_own_name_only, SMTP_PORT_SUBMISSION, own_names)
{
	static const char stranger[] = "550 5.7.1 <bob@example.org>: From address rejected: not "
				       "owned by user alice@example.org";
	static const char none[] = "550 5.7.1 Error: the message needs one From line with an "
				   "address";

	sim_greet(sim);
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\nS: 235 *\n");
	send_from(sim, "C: From: bob@example.org\n", stranger);
	send_from(sim, "C: From: \"alice@example.org\" <bob@example.org>\n", stranger);
	send_from(sim, "C: From: alice@example.org, b <bob@example.org>\n", stranger);
	send_from(sim, "C: From: us: alice@example.org, bob@example.org;\n", stranger);
	send_from(sim, "C: From: alice@example.org\nC: From: alice@example.org\n", none);
	send_from(sim, "C: From: nobody at all:;\n", none);
	send_from(sim, "C: From: Alice\nC:  <alice@example.org>\n", "250 *");
	send_from(sim, "C: From: alice@example.org, <team@example.org>\n", "250 *");
	send_from(sim, "C: Subject: from the envelope\n", "250 *");
	sim_talk(sim, "C: MAIL FROM:<alice@example.org>\nS: 250 *\n"
		      "C: RCPT TO:<bob@example.org>\nS: 250 *\nC: DATA\nS: 354 *\n");
	sim->resolve_error = -EPIPE;
	sim_talk(sim, "C: From: bob@example.org\nC: \nC: .\n"
		      "S: 451 4.3.0 Error: the author cannot be checked now\n");
}

/* What stands behind the addresses that are looked at is not looked at. */
TEST(an_author_does_not_hide_behind_many_others, SMTP_PORT_SUBMISSION, own_names)
{
	static const char refusal[] = "550 5.7.1 Error: the message needs one From line with an "
				      "address";
	char header[300], filler[128];
	size_t n = 0;

	sim_greet(sim);
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\nS: 235 *\n");
	for (unsigned i = 0; i < 25; i++)
		n += (size_t)snprintf(filler + n, sizeof(filler) - n, "g:;,");
	snprintf(header, sizeof(header), "C: From: alice@example.org,%s bob@example.org\n", filler);
	send_from(sim, header, refusal);
}

TEST(an_author_is_nobodys_business_unless_the_operator_says_so, SMTP_PORT_SUBMISSION, spoof)
{
	sim_greet(sim);
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\nS: 235 *\n");
	send_from(sim, "C: From: bob@example.org\n", "250 *");
}

TEST(parts_of_submitted_mail_are_cleaned_too, SMTP_PORT_SUBMISSION, clear_auth)
{
	sim_greet(sim);
	sim_talk(sim, "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\nS: 235 *\n");
	send_from(sim,
		  "C: Content-Type: multipart/mixed; boundary=b\nC: \nC: --b\n"
		  "C: User-Agent: secret\nC: Content-Type: message/rfc822\nC: \n"
		  "C: X-Mailer: secret\nC: Subject: y\nC: \nC: --b\nC: X-Enigmail: secret\n",
		  "250 *");
	assert_str(sim->body, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
			      "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n--b\r\n"
			      "\r\ntext\r\n");
}

/* No handshake here: the protocol suite has real ones. */
static void without_tls(struct sim *sim)
{
	sim_use_tls(sim);
	sim_connect(sim);
	sim_talk(sim, "S: 220 *\n"
		      "C: EHLO client.example.net\n"
		      "S: 250-mail.example.org\n"
		      "S: 250-PIPELINING\n"
		      "S: 250-SIZE *\n"
		      "S: 250-STARTTLS\n"
		      "S: 250-ENHANCEDSTATUSCODES\n"
		      "S: 250-8BITMIME\n"
		      "S: 250-DSN\n"
		      "S: 250-MT-PRIORITY\n"
		      "S: 250-SMTPUTF8\n"
		      "S: 250-CHUNKING\n"
		      "S: 250-BINARYMIME\n"
		      "S: 250-LIMITS *\n"
		      "S: 250 HELP\n"
		      "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\n"
		      "S: 530 5.7.0 Must issue a STARTTLS command first\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 530 5.7.0 Must issue a STARTTLS command first\n"
		      "C: NOOP\n"
		      "S: 250 *\n"
		      "C: STARTTLS now\n"
		      "S: 501 5.5.4 Syntax: STARTTLS\n"
		      "C: BDAT 5\n"
		      "C: RSET\n"
		      "S: 503 *\n");
	/* Two bytes of the chunk are missing: they were no command. */
	sim_talk(sim, "C: QUIT\n"
		      "S: 530 *\n"
		      "S: 221 *\n");
	sim_expect_closed(sim);
	assert_int_equal(sim->logins, 0);
}

static void submission_demands_tls_where_there_is_tls(void **state)
{
	(void)state;
	sim_run_idle(SMTP_PORT_SUBMISSION, NULL, without_tls);
}

TEST(a_full_mailbox_is_told_at_rcpt, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<a@b.example> SIZE=2000\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<full@example.org>\n"
		      "S: 552 5.2.2 <full@example.org>: Recipient address rejected: Mailbox is "
		      "full\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: RSET\n"
		      "S: 250 2.0.0 Ok\n"
		      "C: MAIL FROM:<a@b.example> SIZE=900\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<full@example.org>\n"
		      "S: 250 2.1.5 Ok\n"
		      "C: RSET\n"
		      "S: 250 2.0.0 Ok\n");
	/* What cannot be told now shows when the message is delivered. */
	sim->room_error = -EPIPE;
	sim_talk(sim, "C: MAIL FROM:<a@b.example> SIZE=2000\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<full@example.org>\n"
		      "S: 250 2.1.5 Ok\n");
}

TEST(failures_of_ours_are_temporary, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim->resolve_error = -EPIPE;
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 2.1.0 Ok\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 451 4.3.0 <alice@example.org>: Temporary lookup failure\n");
	sim->resolve_error = 0;
	static const struct {
		int error;
		const char *script;
	} cases[] = {
		{ -ENOSPC, "C: .\nS: 452 4.3.1 Error: insufficient system storage\n" },
		{ -EIO, "C: .\nS: 451 4.3.0 Error: queue file write error\n" },
		{ -EPIPE, "C: .\nS: 451 4.3.0 Error: queue file write error\n" },
		{ -EINVAL, "C: .\nS: 554 5.3.0 Error: message cannot be queued\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sim->submit_error = cases[i].error;
		sim_talk(sim, "C: RSET\n"
			      "S: 250 *\n"
			      "C: MAIL FROM:<a@b.example>\n"
			      "S: 250 *\n"
			      "C: RCPT TO:<alice@example.org>\n"
			      "S: 250 *\n"
			      "C: DATA\n"
			      "S: 354 *\n");
		sim_talk(sim, cases[i].script);
	}
	assert_int_equal(sim->submitted, 0);
	sim_expect_log(sim, "told to fail");
}

static void send_one(struct sim *sim, const char *end)
{
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 *\n"
		      "C: DATA\n"
		      "S: 354 *\n"
		      "C: .\n");
	sim_talk(sim, end);
}

TEST(signatures_stand_on_top_of_mail_that_may_be_relayed, SMTP_PORT_LOCAL, NULL)
{
	sim_greet(sim);
	sim->signature = "DKIM-Signature: 1\r\nDKIM-Signature: 2\r\n";
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_true(
		str_starts(sim->head, STR("DKIM-Signature: 1\r\nDKIM-Signature: 2\r\nReceived:")));
}

static void send_signed(struct sim *sim)
{
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 *\n"
		      "C: DATA\n"
		      "S: 354 *\n"
		      "C: From: a@b.example\n"
		      "C: dkim-signature: v=1;\n"
		      "C:  DKIM-Signature: x\n"
		      "C: DKIM-Signature : v=1\n"
		      "C: \n"
		      "C: DKIM-Signature: y\n"
		      "C: .\n"
		      "S: 250 2.0.0 Ok: queued as *\n");
}

TEST(signatures_of_ours_replace_those_that_are_there, SMTP_PORT_LOCAL, NULL)
{
	sim_greet(sim);
	send_signed(sim);
	assert_true(str_find(sim->body, STR("dkim-signature: v=1;\r\n DKIM-Signature: x\r\n")) > 0);
	sim->signature = "DKIM-Signature: 1\r\n";
	send_signed(sim);
	assert_true(str_find(sim->body, STR("\r\nX-Old-DKIM-Sig: v=1;\r\n DKIM-Signature: x\r\n"
					    "X-Old-DKIM-Sig : v=1\r\n"
					    "\r\nDKIM-Signature: y\r\n")) > 0);
}

TEST(strangers_mail_is_not_signed, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim->signature = "DKIM-Signature: 1\r\n";
	sim->sign_error = -EPIPE;
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_true(str_starts(sim->head, STR("Received:")));
}

TEST(mail_that_cannot_be_signed_now_has_to_wait, SMTP_PORT_LOCAL, NULL)
{
	sim_greet(sim);
	sim->sign_error = -EPIPE;
	send_one(sim, "S: 451 4.3.0 Error: the message cannot be signed now\n");
	assert_int_equal(sim->submitted, 0);
	sim_expect_log(sim, "no pen");
	sim->sign_error = 0;
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
}

TEST(results_stand_on_top_of_mail_of_strangers, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim->results = "Authentication-Results: x\r\n";
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_true(str_starts(sim->head, STR("Authentication-Results: x\r\nReceived:")));
	sim->refusal = "550 5.7.1 rejected by DMARC policy for b.example";
	send_one(sim, "S: 550 5.7.1 rejected by DMARC policy for b.example\n");
	assert_int_equal(sim->submitted, 1);
	sim_expect_log(sim, "reject: ");
}

TEST(the_name_of_a_client_is_in_log_and_trace_once_it_is_known, SMTP_PORT_MX, NULL)
{
	sim->name = "mx.client.example";
	sim->name_delay = 3000;
	sim_greet(sim);
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_str(sim->client_name, "mx.client.example");
	assert_int_equal(sim->iprev, FILTER_IPREV_PASS);
	assert_true(str_find(sim->head, STR(" (mx.client.example [192.0.2.1])\r\n")) > 0);
	sim_expect_log(sim, "connect from unknown[192.0.2.1]");
	sim_expect_log(sim, "client=mx.client.example[192.0.2.1]");
}

TEST(nobody_waits_long_for_a_name, SMTP_PORT_MX, NULL)
{
	int64_t start = loop_now();

	sim->name = "mx.client.example";
	sim->name_delay = 60000;
	sim_greet(sim);
	assert_true(loop_now() - start < 1000);
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_true(loop_now() - start <= 5000);
	assert_str(sim->client_name, "unknown");
	assert_int_equal(sim->iprev, FILTER_IPREV_TEMPERROR);
}

static const char *const no_unknown[] = { "POSTFIX_REJECT_UNKNOWN_CLIENT_HOSTNAME=1", NULL };

static const char ask_for_alice[] = "C: MAIL FROM:<a@b.example>\n"
				    "S: 250 *\n"
				    "C: RCPT TO:<alice@example.org>\n";

TEST(a_client_without_a_name_is_put_off_where_that_is_wanted, SMTP_PORT_MX, no_unknown)
{
	sim_greet(sim);
	sim_talk(sim, ask_for_alice);
	sim_talk(sim, "S: 450 4.7.25 Client host rejected: cannot find your hostname, "
		      "[192.0.2.1]\n");
	sim_expect_log(sim, "450 4.7.25 Client host rejected");
}

TEST(one_with_a_name_is_not, SMTP_PORT_MX, no_unknown)
{
	sim->name = "mx.client.example";
	sim_greet(sim);
	sim_talk(sim, ask_for_alice);
	sim_talk(sim, "S: 250 2.1.5 Ok\n");
}

TEST(a_sender_whose_domain_is_not_there_is_put_off, SMTP_PORT_MX, NULL)
{
	sim->sender_domain = SMTP_DOMAIN_MISSING;
	sim_greet(sim);
	sim_talk(sim, "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 450 4.1.8 <a@b.example>: Sender address rejected: Domain not found\n"
		      "C: RCPT TO:<bob@example.org>\n"
		      "S: 450 4.1.8 *\n");
	assert_int_equal(sim->domains_asked, 1);
	sim->sender_domain = SMTP_DOMAIN_WITHOUT_MAIL;
	sim_talk(sim, "C: RSET\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 556 5.7.27 <a@b.example>: Sender address rejected: Domain b.example "
		      "does not accept mail (nullMX)\n");
	sim->sender_domain = SMTP_DOMAIN_UNKNOWN;
	sim_talk(sim, "C: RSET\n"
		      "S: 250 *\n"
		      "C: MAIL FROM:<a@b.example>\n"
		      "S: 250 *\n"
		      "C: RCPT TO:<alice@example.org>\n"
		      "S: 250 *\n");
}

TEST(nobody_asks_for_domains_of_ours_or_for_none, SMTP_PORT_MX, NULL)
{
	static const char *const senders[] = { "", "bob@example.org", "a@[192.0.2.1]" };

	sim->sender_domain = SMTP_DOMAIN_MISSING;
	sim_greet(sim);
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		struct str line = arena_printf(&sim->arena, "MAIL FROM:<%s>\r\n", senders[i]);
		sim_say(sim, line.p);
		sim_talk(sim, "S: 250 *\n"
			      "C: RCPT TO:<alice@example.org>\n"
			      "S: 250 *\n"
			      "C: RSET\n"
			      "S: 250 *\n");
	}
	assert_int_equal(sim->domains_asked, 0);
}

TEST(mail_that_nobody_can_check_is_accepted, SMTP_PORT_MX, NULL)
{
	sim_greet(sim);
	sim->examine_error = -EPIPE;
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
	assert_true(str_starts(sim->head, STR("Received:")));
	sim_expect_log(sim, "no magnifier");
}

TEST(mail_of_this_machine_is_not_checked, SMTP_PORT_LOCAL, NULL)
{
	sim_greet(sim);
	sim->refusal = "550 5.7.1 no";
	send_one(sim, "S: 250 2.0.0 Ok: queued as *\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(a_message_goes_in),
		sim_test(a_group_of_commands_is_answered_in_order),
		sim_test(commands_out_of_order_are_refused),
		sim_test(malformed_commands_are_refused),
		sim_test(other_commands_have_their_answers),
		sim_test(recipients_are_judged_by_the_tables),
		sim_test(a_strange_helo_is_refused_at_rcpt),
		sim_test(utf8_addresses_need_smtputf8),
		sim_test(strangers_cannot_submit),
		sim_test(users_log_in_with_plain),
		sim_test(users_log_in_with_login),
		sim_test(guessing_passwords_ends_the_session),
		sim_test(a_login_sends_from_its_own_addresses_only),
		sim_test(a_login_writes_in_its_own_name_only),
		sim_test(an_author_does_not_hide_behind_many_others),
		sim_test(an_author_is_nobodys_business_unless_the_operator_says_so),
		sim_test(parts_of_submitted_mail_are_cleaned_too),
		sim_test(submission_demands_tls_where_there_is_tls),
		sim_test(a_full_mailbox_is_told_at_rcpt),
		sim_test(failures_of_ours_are_temporary),
		sim_test(signatures_stand_on_top_of_mail_that_may_be_relayed),
		sim_test(signatures_of_ours_replace_those_that_are_there),
		sim_test(strangers_mail_is_not_signed),
		sim_test(mail_that_cannot_be_signed_now_has_to_wait),
		sim_test(results_stand_on_top_of_mail_of_strangers),
		sim_test(the_name_of_a_client_is_in_log_and_trace_once_it_is_known),
		sim_test(nobody_waits_long_for_a_name),
		sim_test(a_client_without_a_name_is_put_off_where_that_is_wanted),
		sim_test(one_with_a_name_is_not),
		sim_test(a_sender_whose_domain_is_not_there_is_put_off),
		sim_test(nobody_asks_for_domains_of_ours_or_for_none),
		sim_test(mail_that_nobody_can_check_is_accepted),
		sim_test(mail_of_this_machine_is_not_checked),
	};
	return cmocka_run_group_tests_name("smtp/dialog", tests, NULL, NULL);
}
