#include "pop3/login.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/stream.h"
#include "transcript.h"

/* The front's side: one account, and a record of what was handed over. */
struct front {
	bool secure, allow_cleartext, offers_tls;
	char handed_over[100]; /* account, method, authzid, unread input */
	char credentials[64];
	int end;
};

static int fake_authenticate(void *ctx, const struct pop3_credentials *c, struct arena *a,
			     struct str *account, struct err *err)
{
	struct front *f = ctx;

	snprintf(f->credentials, sizeof(f->credentials), "%s|%" STR_FMT, c->method,
		 STR_ARG(c->sasl.authzid));
	if (str_eq(c->sasl.user, STR("broken")))
		return err_set(err, -EIO, "no answer");
	if (!str_eq(c->sasl.user, STR("joe")) || !str_eq(c->sasl.password, STR("se cret")))
		return -EACCES;
	*account = arena_str(a, STR("joe@example.org"));
	return 0;
}

static int fake_handover(void *ctx, struct str account, struct err *err)
{
	struct front *f = ctx;

	(void)err;
	snprintf(f->handed_over, sizeof(f->handed_over), "%" STR_FMT "|%s", STR_ARG(account),
		 f->credentials);
	return 0;
}

/* Stands for a handshake: like tls_accept it forgets what came in plain text. */
static int fake_start_tls(void *ctx, struct stream *s, struct err *err)
{
	(void)ctx;
	(void)err;
	int r = stream_flush(s);
	stream_consume(s, stream_peek(s).n);
	return r;
}

static void serve(struct stream *s, void *ctx)
{
	static const struct pop3_login_ops with_tls = { fake_authenticate, fake_handover,
							fake_start_tls };
	static const struct pop3_login_ops without_tls = { fake_authenticate, fake_handover, NULL };
	struct front *f = ctx;
	struct pop3_login_params p = {
		.stream = s,
		.ops = f->offers_tls ? &with_tls : &without_tls,
		.ctx = f,
		.secure = f->secure,
		.allow_cleartext = f->allow_cleartext,
		.failures_max = 3,
		.time_ms = 180000,
	};
	struct err err;

	f->end = pop3_login_run(&p, &err);
}

static struct front run(const char *script, struct front f, int end)
{
	struct front now = f;

	for (int mode = 0; mode < TRANSCRIPT_MODES; mode++) {
		now = f;
		transcript_run(script, mode, serve, &now);
		assert_int_equal(now.end, end);
	}
	return now;
}

static const struct front secure = { .secure = true };

#define GREETING "S: +OK <*>\n"

static void capa_tells_what_may_be_done(void **state)
{
	(void)state;
	run(GREETING "C: CAPA\nS: +OK\nS: TOP\nS: UIDL\nS: RESP-CODES\nS: AUTH-RESP-CODE\n"
		     "S: PIPELINING\nS: UTF8 USER\nS: IMPLEMENTATION Posthorn\nS: USER\n"
		     "S: SASL PLAIN LOGIN\nS: .\n"
		     "C: AUTH\nS: +OK\nS: PLAIN\nS: LOGIN\nS: .\n"
		     "C: QUIT\nS: +OK <*>\nX\n",
	    secure, POP3_LOGIN_CLOSED);
	run(GREETING "C: capa\nS: +OK\nS: TOP\nS: UIDL\nS: RESP-CODES\nS: AUTH-RESP-CODE\n"
		     "S: PIPELINING\nS: UTF8 USER\nS: IMPLEMENTATION Posthorn\nS: STLS\nS: .\n"
		     "C: QUIT\nS: +OK <*>\nX\n",
	    (struct front){ .offers_tls = true }, POP3_LOGIN_CLOSED);
}

static void a_login_is_handed_over_without_an_answer(void **state)
{
	static const struct {
		const char *script, *credentials;
	} cases[] = {
		{ GREETING "C: USER joe\nS: +OK\nC: PASS se cret\nX\n", "PLAIN|" },
		{ GREETING "C: user joe\nS: +OK\nC: pass se cret\nX\n", "PLAIN|" },
		{ GREETING "C: UTF8\nS: +OK <*>\nC: USER joe\nS: +OK\nC: PASS se cret\nX\n",
		  "PLAIN|" },
		{ GREETING "C: AUTH PLAIN AGpvZQBzZSBjcmV0\nX\n", "PLAIN|" },
		{ GREETING "C: AUTH plain\nS: + \nC: b3RoZXIAam9lAHNlIGNyZXQ=\nX\n",
		  "PLAIN|other" },
		{ GREETING "C: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: am9l\nS: + UGFzc3dvcmQ6\n"
			   "C: c2UgY3JldA==\nX\n",
		  "LOGIN|" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[100];
		struct front f = run(cases[i].script, secure, POP3_LOGIN_HANDED_OVER);
		snprintf(want, sizeof(want), "joe@example.org|%s", cases[i].credentials);
		assert_string_equal(f.handed_over, want);
	}
}

static void a_wrong_password_is_refused_until_too_many(void **state)
{
	(void)state;
	run(GREETING "C: USER joe\nS: +OK\nC: PASS wrong\n"
		     "S: -ERR [AUTH] Authentication failed.\n"
		     "C: PASS se cret\nS: -ERR USER first.\n"
		     "C: USER broken\nS: +OK\nC: PASS x\nS: -ERR [SYS/TEMP] <*>\n"
		     "C: AUTH PLAIN AGpvZQB3cm9uZw==\nS: -ERR [AUTH] <*>\n"
		     "C: USER nobody\nS: +OK\nC: PASS x\nS: -ERR [AUTH] Authentication failed.\n"
		     "X\n",
	    secure, POP3_LOGIN_CLOSED);
}

static void passwords_do_not_cross_an_insecure_connection(void **state)
{
	(void)state;
	run(GREETING "C: USER joe\nS: -ERR [AUTH] <*>\n"
		     "C: PASS se cret\nS: -ERR USER first.\n"
		     "C: AUTH PLAIN AGpvZQBzZSBjcmV0\nS: -ERR [AUTH] <*>\n"
		     "C: AUTH\nS: +OK\nS: .\n"
		     "C: QUIT\nS: +OK <*>\nX\n",
	    (struct front){ .offers_tls = true }, POP3_LOGIN_CLOSED);
	run(GREETING "C: USER joe\nS: +OK\nC: PASS se cret\nX\n",
	    (struct front){ .allow_cleartext = true }, POP3_LOGIN_HANDED_OVER);
}

/* RFC 2595 4: nothing of what was said before the handshake counts. */
static void the_handshake_forgets_what_came_before(void **state)
{
	struct front f = { .offers_tls = true, .allow_cleartext = true };

	(void)state;
	run(GREETING "C: USER joe\nS: +OK\nC: STLS\nS: +OK <*>\n-\n"
		     "C: PASS se cret\nS: -ERR USER first.\n"
		     "C: STLS\nS: -ERR TLS is already active.\n"
		     "C: QUIT\nS: +OK <*>\nX\n",
	    f, POP3_LOGIN_CLOSED);
	transcript_run(GREETING "C: STLS\nC: USER joe\nS: +OK <*>\n-\n"
				"C: PASS se cret\nS: -ERR USER first.\n",
		       TRANSCRIPT_PIPELINED, serve, &f);
	run(GREETING "C: STLS\nS: -ERR TLS is not available.\n", secure, POP3_LOGIN_CLOSED);
}

static void malformed_input_is_refused_until_too_much(void **state)
{
	(void)state;
	run(GREETING "C: \nS: -ERR <*>\n"
		     "C: STAT\nS: -ERR <*>\n"
		     "C: USER\nS: -ERR The name is missing.\n"
		     "C: AUTH SCRAM-SHA-1\nS: -ERR Unsupported authentication mechanism.\n"
		     "C: AUTH PLAIN &&&\nS: -ERR Invalid SASL response.\n"
		     "C: AUTH PLAIN =\nS: -ERR Invalid SASL response.\n"
		     "C: AUTH PLAIN\nS: + \nC: *\nS: -ERR Authentication cancelled.\n"
		     "C: 1\nS: -ERR <*>\nC: 2\nS: -ERR <*>\nC: 3\nS: -ERR <*>\n"
		     "C: 4\nS: -ERR <*>\nC: 5\nS: -ERR <*>\nC: 6\nS: -ERR <*>\n"
		     "C: 7\nS: -ERR <*>\nC: 8\nS: -ERR <*>\nX\n",
	    secure, POP3_LOGIN_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capa_tells_what_may_be_done),
		cmocka_unit_test(a_login_is_handed_over_without_an_answer),
		cmocka_unit_test(a_wrong_password_is_refused_until_too_many),
		cmocka_unit_test(passwords_do_not_cross_an_insecure_connection),
		cmocka_unit_test(the_handshake_forgets_what_came_before),
		cmocka_unit_test(malformed_input_is_refused_until_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
