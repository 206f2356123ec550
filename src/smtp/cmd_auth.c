#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"

static const char *mech_name(enum sasl_mech mech)
{
	return mech == SASL_PLAIN ? "PLAIN" : "LOGIN";
}

/* RFC 4954 4: the dialogue. Returns SASL_CONTINUE when the session is over. */
static enum sasl_step run_exchange(struct smtp_session *s, struct sasl_exchange *x,
				   struct str initial, struct arena *a)
{
	struct str challenge = STR_NONE, line;
	enum sasl_step step = sasl_start(x, a, initial, &challenge);
	while (step == SASL_CONTINUE) {
		smtp_say(s, "334 %" STR_FMT, STR_ARG(challenge));
		int r = smtp_read_line(s, SASL_LINE_MAX, &line);
		if (r == -EMSGSIZE || r == -EBADMSG)
			return SASL_INVALID;
		if (r < 0) {
			smtp_abandon(s, r);
			return SASL_CONTINUE;
		}
		step = sasl_next(x, line, &challenge);
	}
	return step;
}

static void refuse_login(struct smtp_session *s, const struct smtp_login *login, struct err *err)
{
	smtp_report_login_failed(mech_name(login->mech), login->credentials.user, err);
	if (++s->auth_failures < (unsigned)s->settings->auth_failures_max) {
		smtp_reply(s, "535 5.7.8 Error: authentication failed: wrong name or password");
		return;
	}
	smtp_reply(s, "421 4.7.0 %" STR_FMT " Error: authentication failed too often",
		   STR_ARG(s->settings->fqdn));
	smtp_report_end(s, LOG_SMTP_TOO_MANY_ERRORS);
	s->closing = true;
}

static void check_login(struct smtp_session *s, const struct sasl_exchange *x, struct arena *a)
{
	struct smtp_login login = {
		.credentials = x->credentials,
		.mech = x->mech,
		.client_address = s->client->address,
		.tls = s->tls,
	};
	struct str account;
	struct err err = { 0 };
	int r = s->svc->backend->login(s->svc->ctx, &login, a, &account, &err);
	if (r == -EACCES) {
		refuse_login(s, &login, &err);
	} else if (r < 0) {
		smtp_report_trouble(s, &err);
		smtp_reply(s, "454 4.7.0 Temporary authentication failure");
	} else {
		s->login = arena_str(&s->arena, account);
		s->mech = x->mech;
		smtp_reply(s, "235 2.7.0 Authentication successful");
	}
}

static void authenticate(struct smtp_session *s, enum sasl_mech mech, struct str initial)
{
	auto_arena struct arena a = ARENA_INIT;
	struct sasl_exchange x = { .mech = mech };

	switch (run_exchange(s, &x, initial, &a)) {
	case SASL_DONE:
		check_login(s, &x, &a);
		break;
	case SASL_ABORTED:
		smtp_reply(s, "501 5.7.0 Authentication aborted");
		break;
	case SASL_INVALID:
		smtp_reply(s, "501 5.5.2 Error: authentication exchange malformed");
		break;
	case SASL_CONTINUE:
		break;
	}
	/* Passwords do not stay in memory longer than they are needed. */
	if (x.credentials.password.n)
		explicit_bzero((void *)x.credentials.password.p, x.credentials.password.n);
}

void cmd_auth(struct smtp_session *s, struct str arg)
{
	struct str name, initial;
	enum sasl_mech mech;

	if (!smtp_is_submission(s))
		smtp_reply(s, "503 5.5.1 Error: authentication not enabled");
	else if (!smtp_auth_allowed(s))
		/* RFC 4954 6: not over a connection that anybody may read. */
		smtp_reply(s, "538 5.7.11 Encryption required for requested authentication "
			      "mechanism");
	else if (!s->helo.n)
		smtp_reply(s, "503 5.5.1 Error: send HELO/EHLO first");
	else if (s->login.n)
		smtp_reply(s, "503 5.5.1 Error: already authenticated");
	else if (s->tx)
		smtp_reply(s, "503 5.5.1 Error: MAIL transaction in progress");
	else if (!str_next_word(&arg, &name))
		smtp_reply(s, "501 5.5.4 Syntax: AUTH mechanism");
	else if (!sasl_mech_parse(name, &mech))
		smtp_reply(s, "504 5.5.4 Error: unrecognized authentication type");
	else
		authenticate(s, mech, str_next_word(&arg, &initial) ? initial : STR_NONE);
}
