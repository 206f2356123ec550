#include "imap/login.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/stream.h"
#include "imap/id.h"
#include "imap/input.h"
#include "imap/login_session.h"

#define LOGIN_BAD_MAX 10 /* commands not understood */

static const struct imap_lexer_limits login_limits = {
	.line = 16384, .literal = 4096, .command = 32768, .skip = 65536
};

static void may_suspend write_capabilities(struct imap_login *l)
{
	stream_puts(l->stream, "CAPABILITY IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+");
	if (l->params->ops->start_tls && !l->tls)
		stream_puts(l->stream, " STARTTLS");
	stream_puts(l->stream, imap_login_allowed(l) ? " AUTH=PLAIN AUTH=LOGIN" : " LOGINDISABLED");
}

bool imap_login_allowed(const struct imap_login *l)
{
	return l->secure || l->params->allow_cleartext;
}

int imap_login_reply(struct imap_login *l, const char *status_and_text)
{
	stream_write(l->stream, l->tag);
	stream_puts(l->stream, " ");
	stream_puts(l->stream, status_and_text);
	stream_puts(l->stream, "\r\n");
	return 0;
}

static int may_suspend cmd_capability(struct imap_login *l)
{
	int r = imap_lexer_end(&l->lexer);
	if (r < 0)
		return r;
	stream_puts(l->stream, "* ");
	write_capabilities(l);
	stream_puts(l->stream, "\r\n");
	return imap_login_reply(l, "OK Capabilities listed.");
}

static int may_suspend cmd_noop(struct imap_login *l)
{
	int r = imap_lexer_end(&l->lexer);
	return r < 0 ? r : imap_login_reply(l, "OK Nothing done.");
}

static int may_suspend cmd_id(struct imap_login *l)
{
	int r = imap_id_parse(&l->lexer);
	if (r < 0)
		return r;
	imap_id_write(l->stream);
	return imap_login_reply(l, "OK ID exchanged.");
}

static int may_suspend cmd_logout(struct imap_login *l)
{
	int r = imap_lexer_end(&l->lexer);
	if (r < 0)
		return r;
	stream_puts(l->stream, "* BYE Logging out\r\n");
	imap_login_reply(l, "OK Logged out.");
	l->ended = true;
	return 0;
}

static int may_suspend cmd_starttls(struct imap_login *l)
{
	int r = imap_lexer_end(&l->lexer);
	if (r < 0)
		return r;
	if (l->tls)
		return imap_login_reply(l, "BAD TLS is already active.");
	if (!l->params->ops->start_tls)
		return imap_login_reply(l, "BAD TLS is not available.");

	imap_login_reply(l, "OK Begin TLS negotiation now.");
	r = stream_flush(l->stream);
	if (r < 0)
		return r;
	r = l->params->ops->start_tls(l->params->ctx, l->stream, l->err);
	if (r < 0)
		return r;
	l->tls = true;
	l->secure = true;
	return 0;
}

static int may_suspend refused(struct imap_login *l, int r)
{
	if (r != -EACCES)
		return imap_login_reply(
			l, "NO [UNAVAILABLE] Temporary authentication failure, try again later.");
	imap_login_reply(l, "NO [AUTHENTICATIONFAILED] Authentication failed.");
	if (++l->failures >= l->params->failures_max) {
		stream_puts(l->stream, "* BYE Too many failed logins\r\n");
		l->ended = true;
	}
	return 0;
}

int imap_login_finish(struct imap_login *l, const struct imap_credentials *c)
{
	const struct imap_login_params *p = l->params;
	struct imap_handover h = { .stream = l->stream, .tag = l->tag };

	int r = stream_flush(l->stream);
	if (r < 0)
		return r;
	r = p->ops->authenticate(p->ctx, c, &l->arena, &h.account, l->err);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return refused(l, r);

	r = p->ops->handover(p->ctx, &h, l->err);
	if (r == -ECANCELED)
		return r;
	if (r == -EBUSY)
		return imap_login_reply(l, "NO [LIMIT] Too many sessions of this account.");
	if (r < 0)
		return imap_login_reply(
			l, "NO [UNAVAILABLE] The mailbox cannot be opened now, try again later.");
	l->ended = true;
	l->handed_over = true;
	return 0;
}

static int may_suspend cmd_login(struct imap_login *l)
{
	struct imap_credentials c = { .method = "PLAIN" };
	struct imap_lexer *lx = &l->lexer;
	int r;

	/* Refused before the arguments, so that no password is asked for as a literal. */
	if (!imap_login_allowed(l))
		return imap_login_reply(l, IMAP_LOGIN_NEEDS_TLS);
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_astring(lx, &c.sasl.user)) < 0 ||
	    (r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_astring(lx, &c.sasl.password)) < 0 ||
	    (r = imap_lexer_end(lx)) < 0)
		return r;
	return imap_login_finish(l, &c);
}

static const struct {
	const char *name;
	int may_suspend (*run)(struct imap_login *l);
} login_commands[] = {
	{ "CAPABILITY", cmd_capability },
	{ "NOOP", cmd_noop },
	{ "ID", cmd_id },
	{ "LOGOUT", cmd_logout },
	{ "STARTTLS", cmd_starttls },
	{ "LOGIN", cmd_login },
	{ "AUTHENTICATE", imap_login_cmd_authenticate },
};

static int may_suspend dispatch(struct imap_login *l)
{
	struct imap_lexer *lx = &l->lexer;
	struct str tag, word;
	int r;

	if ((r = imap_lexer_tag(lx, &tag)) < 0)
		return r;
	l->tag = tag;
	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &word)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(login_commands); i++)
		if (str_eq_nocase(word, str_from(login_commands[i].name)))
			return login_commands[i].run(l);
	return imap_lexer_bad(lx, "Unknown command, or not before the login");
}

static int may_suspend answer_bad(struct imap_login *l)
{
	const char *why = l->lexer.bad;

	int r = imap_lexer_skip_rest(&l->lexer);
	if (r < 0 && r != -EFBIG)
		return r;
	if (r == -EFBIG || ++l->bad >= LOGIN_BAD_MAX) {
		stream_puts(l->stream, "* BYE Too many invalid commands\r\n");
		l->ended = true;
		return 0;
	}
	stream_write(l->stream, l->tag.n ? l->tag : STR("*"));
	stream_printf(l->stream, " BAD %s.\r\n", why);
	return 0;
}

static int may_suspend one_command(struct imap_login *l)
{
	arena_reset(&l->arena);
	l->lexer.bad = NULL;
	int r = imap_lexer_begin(&l->lexer, &l->tag);
	if (r == 0)
		r = dispatch(l);
	if (r == -EBADMSG && l->lexer.bad)
		r = answer_bad(l);
	else if (r == 0 && !l->ended)
		/* A command may have been refused by a NO before it was read to its end. */
		r = imap_lexer_skip_rest(&l->lexer);
	return r;
}

static int may_suspend serve(struct imap_login *l)
{
	int r = 0;

	if (!l->params->greeted) {
		stream_puts(l->stream, "* OK [");
		write_capabilities(l);
		stream_puts(l->stream, "] Posthorn as Dovecot ready.\r\n");
	}
	while (r == 0 && !l->ended)
		r = one_command(l);
	if (r == -ENODATA)
		r = 0;
	if (r == 0 && !l->handed_over)
		r = stream_flush(l->stream);
	if (r < 0)
		stream_say_last(l->stream, r == -ECANCELED
						   ? "* BYE Server shutting down.\r\n"
						   : "* BYE Disconnected for inactivity.\r\n");
	if (r < 0)
		return r;
	return l->handed_over ? IMAP_LOGIN_HANDED_OVER : IMAP_LOGIN_CLOSED;
}

int imap_login_run(const struct imap_login_params *p, struct err *err)
{
	struct imap_login l = {
		.params = p,
		.stream = p->stream,
		.err = err,
		.secure = p->secure,
		.tls = stream_layer(p->stream) != NULL,
	};
	struct imap_input input;

	imap_input_init(&input, p->stream);
	arena_init(&l.arena);
	imap_lexer_init(&l.lexer, &input.feed, &l.arena, &login_limits);

	int64_t limit = fiber_limit_begin(loop_deadline(p->time_ms));
	int r = serve(&l);
	fiber_limit_end(limit);
	arena_done(&l.arena);
	return r;
}
