#include "imap/login.h"

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
	char authzid[100];
	char handed_over[100]; /* account, tag, unread input */
	int end;
};

static int fake_authenticate(void *ctx, const struct imap_credentials *c, struct arena *a,
			     struct str *account, struct err *err)
{
	struct front *f = ctx;

	snprintf(f->authzid, sizeof(f->authzid), "%" STR_FMT, STR_ARG(c->sasl.authzid));
	if (str_eq(c->sasl.user, STR("broken")))
		return err_set(err, -EIO, "no answer");
	if (!str_eq(c->sasl.user, STR("joe")) || !str_eq(c->sasl.password, STR("se cret")))
		return -EACCES;
	*account = arena_str(a, STR("joe@example.org"));
	return 0;
}

static int fake_handover(void *ctx, const struct imap_handover *h, struct err *err)
{
	struct front *f = ctx;

	(void)err;
	snprintf(f->handed_over, sizeof(f->handed_over), "%" STR_FMT "|%" STR_FMT "|%" STR_FMT,
		 STR_ARG(h->account), STR_ARG(h->tag), STR_ARG(stream_peek(h->stream)));
	return 0;
}

/* Stands for a handshake: like tls_accept it forgets what came in plain text. */
static int fake_start_tls(void *ctx, struct stream *s, struct err *err)
{
	(void)ctx;
	(void)err;
	stream_consume(s, stream_peek(s).n);
	return 0;
}

static void serve(struct stream *s, void *ctx)
{
	static const struct imap_login_ops with_tls = { fake_authenticate, fake_handover,
							fake_start_tls };
	static const struct imap_login_ops without_tls = { fake_authenticate, fake_handover, NULL };
	struct front *f = ctx;
	struct imap_login_params p = {
		.stream = s,
		.ops = f->offers_tls ? &with_tls : &without_tls,
		.ctx = f,
		.secure = f->secure,
		.allow_cleartext = f->allow_cleartext,
		.failures_max = 6,
		.time_ms = 180000,
	};
	struct err err;

	f->end = imap_login_run(&p, &err);
}

static void run(const char *script, struct front f, int end)
{
	for (int mode = 0; mode < TRANSCRIPT_MODES; mode++) {
		struct front now = f;
		transcript_run(script, mode, serve, &now);
		assert_int_equal(now.end, end);
	}
}

static const struct front secure = { .secure = true };

#define GREETING                                                                                   \
	"S: * OK [CAPABILITY IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+ AUTH=PLAIN "      \
	"AUTH=LOGIN] "                                                                             \
	"<*>Dovecot ready.\n"
#define GREETING_CLEAR                                                                             \
	"S: * OK [CAPABILITY IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+ STARTTLS "        \
	"LOGINDISABLED] "                                                                          \
	"<*>\n"

static void simple_commands_work_before_the_login(void **state)
{
	(void)state;
	run(GREETING "C: a capability\n"
		     "S: * CAPABILITY IMAP4rev1 <*>\n"
		     "S: a OK <*>\n"
		     "C: b NOOP\n"
		     "S: b OK <*>\n"
		     "C: c ID (\"name\" \"x\" \"version\" NIL)\n"
		     "S: * ID (\"name\" \"Posthorn\")\n"
		     "S: c OK <*>\n"
		     "C: d ID NIL\n"
		     "S: * ID <*>\n"
		     "S: d OK <*>\n"
		     "C: e LOGOUT\n"
		     "S: * BYE <*>\n"
		     "S: e OK <*>\n"
		     "X\n",
	    secure, IMAP_LOGIN_CLOSED);
}

static void a_login_is_handed_over_without_an_answer(void **state)
{
	static const char *const scripts[] = {
		GREETING "C: a1 LOGIN joe \"se cret\"\nX\n",
		GREETING "C: a1 LOGIN {3}\nS: + OK\nc: joe\nC:  {7}\nS: + OK\nC: se cret\nX\n",
		GREETING "C: a1 login {3+}\nc: joe\nC:  {7+}\nC: se cret\nX\n",
		GREETING "C: a1 AUTHENTICATE PLAIN AGpvZQBzZSBjcmV0\nX\n",
		GREETING "C: a1 AUTHENTICATE plain\nS: + \nC: am9lAGpvZQBzZSBjcmV0\nX\n",
		GREETING "C: a1 AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: am9l\n"
			 "S: + UGFzc3dvcmQ6\nC: c2UgY3JldA==\nX\n",
		GREETING "C: a1 AUTHENTICATE LOGIN am9l\nS: + UGFzc3dvcmQ6\nC: c2UgY3JldA==\nX\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		for (int mode = 0; mode < TRANSCRIPT_MODES; mode++) {
			struct front f = secure;
			transcript_run(scripts[i], mode, serve, &f);
			assert_int_equal(f.end, IMAP_LOGIN_HANDED_OVER);
			assert_string_equal(f.handed_over, "joe@example.org|a1|");
		}
}

static void the_authorization_identity_is_passed_on(void **state)
{
	struct front f = secure;

	(void)state;
	transcript_run(GREETING "C: a AUTHENTICATE PLAIN b3RoZXIAam9lAHNlIGNyZXQ=\nX\n",
		       TRANSCRIPT_BYTEWISE, serve, &f);
	assert_string_equal(f.authzid, "other");
	assert_int_equal(f.end, IMAP_LOGIN_HANDED_OVER);
}

static void input_behind_the_login_goes_with_it(void **state)
{
	struct front f = secure;

	(void)state;
	transcript_run(GREETING "C: a1 LOGIN joe \"se cret\"\nC: a2 SELECT INBOX\nX\n",
		       TRANSCRIPT_PIPELINED, serve, &f);
	assert_string_equal(f.handed_over, "joe@example.org|a1|a2 SELECT INBOX\r\n");
}

static void a_wrong_password_is_refused_until_too_many(void **state)
{
	(void)state;
	run(GREETING "C: a LOGIN joe wrong\n"
		     "S: a NO [AUTHENTICATIONFAILED] Authentication failed.\n"
		     "C: b AUTHENTICATE PLAIN AGpvZQB3cm9uZw==\n"
		     "S: b NO [AUTHENTICATIONFAILED] Authentication failed.\n"
		     "C: c LOGIN broken x\n"
		     "S: c NO [UNAVAILABLE] <*>\n"
		     "C: d LOGIN joe 1\nS: d NO <*>\n"
		     "C: e LOGIN joe 2\nS: e NO <*>\n"
		     "C: f LOGIN joe 3\nS: f NO <*>\n"
		     "C: g LOGIN joe 4\nS: g NO <*>\n"
		     "S: * BYE <*>\n"
		     "X\n",
	    secure, IMAP_LOGIN_CLOSED);
}

static void passwords_do_not_cross_an_insecure_connection(void **state)
{
	(void)state;
	run(GREETING_CLEAR "C: a LOGIN joe \"se cret\"\n"
			   "S: a NO [PRIVACYREQUIRED] <*>\n"
			   "C: b LOGIN {3+}\nc: joe\nC:  {7+}\nC: se cret\n"
			   "S: b NO [PRIVACYREQUIRED] <*>\n"
			   "C: c AUTHENTICATE PLAIN\n"
			   "S: c NO [PRIVACYREQUIRED] <*>\n"
			   "C: d STARTTLS\n"
			   "S: d OK <*>\n",
	    (struct front){ .offers_tls = true }, IMAP_LOGIN_CLOSED);
	run("S: * OK [CAPABILITY <*> AUTH=PLAIN AUTH=LOGIN] <*>\n"
	    "C: a LOGIN joe \"se cret\"\n"
	    "X\n",
	    (struct front){ .allow_cleartext = true }, IMAP_LOGIN_HANDED_OVER);
}

static void commands_injected_before_the_handshake_are_forgotten(void **state)
{
	struct front f = { .offers_tls = true };

	(void)state;
	transcript_run(GREETING_CLEAR "C: a STARTTLS\n"
				      "C: b NOOP\n"
				      "S: a OK <*>\n"
				      "-\n"
				      "C: c NOOP\n"
				      "S: c OK <*>\n",
		       TRANSCRIPT_PIPELINED, serve, &f);
}

static void starttls_is_refused_when_it_makes_no_sense(void **state)
{
	(void)state;
	run(GREETING "C: a STARTTLS\nS: a BAD <*>\n", secure, IMAP_LOGIN_CLOSED);
}

static void malformed_input_gets_a_tagged_bad_and_then_a_bye(void **state)
{
	(void)state;
	run(GREETING "C: a\nS: a BAD Missing argument.\n"
		     "C: \nS: * BAD Missing or invalid tag.\n"
		     "C: b FROB\nS: b BAD Unknown command, or not before the login.\n"
		     "C: c SELECT {5+}\nc: INBOX\nC: \nS: c BAD <*>\n"
		     "C: d AUTHENTICATE PLAIN\nS: + \nC: *\nS: d BAD Authentication cancelled.\n"
		     "C: e AUTHENTICATE PLAIN\nS: + \nC: &&&\nS: e BAD <*>\n"
		     "C: f AUTHENTICATE PLAIN =\nS: f BAD Invalid SASL response.\n"
		     "C: g AUTHENTICATE SCRAM-SHA-1\nS: g NO <*>\n"
		     "C: h LOGIN joe {9999}\nS: h BAD Literal too large.\n"
		     "C: i LOGIN joe \"x\" y\nS: i BAD <*>\n"
		     "C: j LOGIN \"jo\nS: * BYE <*>\n"
		     "X\n",
	    secure, IMAP_LOGIN_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_commands_work_before_the_login),
		cmocka_unit_test(a_login_is_handed_over_without_an_answer),
		cmocka_unit_test(the_authorization_identity_is_passed_on),
		cmocka_unit_test(input_behind_the_login_goes_with_it),
		cmocka_unit_test(a_wrong_password_is_refused_until_too_many),
		cmocka_unit_test(passwords_do_not_cross_an_insecure_connection),
		cmocka_unit_test(commands_injected_before_the_handshake_are_forgotten),
		cmocka_unit_test(starttls_is_refused_when_it_makes_no_sense),
		cmocka_unit_test(malformed_input_gets_a_tagged_bad_and_then_a_bye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
