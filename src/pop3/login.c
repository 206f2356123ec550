#include "pop3/login.h"

#include <errno.h>

#include "base/arena.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/stream.h"
#include "pop3/line.h"

#define LOGIN_BAD_MAX 10 /* commands not understood */

#define NEEDS_TLS "-ERR [AUTH] Logging in requires TLS on this connection.\r\n"

const char pop3_capabilities[] = "TOP\r\n"
				 "UIDL\r\n"
				 "RESP-CODES\r\n"
				 "AUTH-RESP-CODE\r\n"
				 "PIPELINING\r\n"
				 "UTF8 USER\r\n"
				 "IMPLEMENTATION Posthorn\r\n";

struct pop3_login {
	const struct pop3_login_params *params;
	struct stream *stream;
	struct err *err;
	struct arena arena; /* reset before each command */
	struct arena names; /* reset before each USER */
	struct str user;    /* of USER; p == NULL: none yet */
	bool tls;
	bool secure;
	bool ended;
	bool handed_over;
	unsigned bad;
	unsigned failures;
};

static int may_suspend answer(struct pop3_login *l, const char *text)
{
	stream_puts(l->stream, text);
	return 0;
}

static bool login_allowed(const struct pop3_login *l)
{
	return l->secure || l->params->allow_cleartext;
}

static int may_suspend cmd_capa(struct pop3_login *l, const struct pop3_line *line)
{
	(void)line;
	answer(l, "+OK\r\n");
	answer(l, pop3_capabilities);
	if (l->params->ops->start_tls && !l->tls)
		answer(l, "STLS\r\n");
	if (login_allowed(l))
		answer(l, "USER\r\nSASL PLAIN LOGIN\r\n");
	return answer(l, ".\r\n");
}

static int may_suspend cmd_stls(struct pop3_login *l, const struct pop3_line *line)
{
	(void)line;
	if (l->tls)
		return answer(l, "-ERR TLS is already active.\r\n");
	if (!l->params->ops->start_tls)
		return answer(l, "-ERR TLS is not available.\r\n");

	answer(l, "+OK Begin TLS negotiation now.\r\n");
	int r = l->params->ops->start_tls(l->params->ctx, l->stream, l->err);
	if (r < 0)
		return r;
	/* RFC 2595 4: what was said before the handshake is forgotten. */
	l->user = STR_NONE;
	l->tls = l->secure = true;
	return 0;
}

static int may_suspend refused(struct pop3_login *l, int r)
{
	if (r != -EACCES)
		return answer(l, "-ERR [SYS/TEMP] Temporary authentication failure, try again "
				 "later.\r\n");
	answer(l, "-ERR [AUTH] Authentication failed.\r\n");
	l->ended = ++l->failures >= l->params->failures_max;
	return 0;
}

static int may_suspend finish(struct pop3_login *l, const struct pop3_credentials *c)
{
	const struct pop3_login_params *p = l->params;
	struct str account;

	int r = stream_flush(l->stream);
	if (r < 0)
		return r;
	r = p->ops->authenticate(p->ctx, c, &l->arena, &account, l->err);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return refused(l, r);

	r = p->ops->handover(p->ctx, account, l->err);
	if (r == -ECANCELED)
		return r;
	if (r == -EBUSY)
		return answer(l, "-ERR [IN-USE] Too many sessions of this account.\r\n");
	if (r < 0)
		return answer(l, "-ERR [SYS/TEMP] The mailbox cannot be opened now, try again "
				 "later.\r\n");
	l->ended = l->handed_over = true;
	return 0;
}

static int may_suspend cmd_user(struct pop3_login *l, const struct pop3_line *line)
{
	if (!login_allowed(l))
		return answer(l, NEEDS_TLS);
	if (!line->args.n)
		return answer(l, "-ERR The name is missing.\r\n");
	arena_reset(&l->names);
	l->user = arena_str(&l->names, line->args);
	return answer(l, "+OK\r\n");
}

static int may_suspend cmd_pass(struct pop3_login *l, const struct pop3_line *line)
{
	if (!l->user.p)
		return answer(l, "-ERR USER first.\r\n");
	/* RFC 1939 7: spaces belong to the password. */
	struct pop3_credentials c = {
		.method = "PLAIN",
		.sasl = { .user = l->user, .password = line->args },
	};
	l->user = STR_NONE;
	return finish(l, &c);
}

static int may_suspend exchange(struct pop3_login *l, struct sasl_exchange *x, struct str initial)
{
	struct str challenge, line;
	enum sasl_step step = sasl_start(x, &l->arena, initial, &challenge);

	while (step == SASL_CONTINUE) {
		stream_printf(l->stream, "+ %" STR_FMT "\r\n", STR_ARG(challenge));
		int r = stream_read_line(l->stream, SASL_LINE_MAX, &line);
		if (r < 0)
			return r;
		step = sasl_next(x, str_chomp(line), &challenge);
	}
	if (step == SASL_ABORTED)
		return answer(l, "-ERR Authentication cancelled.\r\n");
	if (step == SASL_INVALID)
		return answer(l, "-ERR Invalid SASL response.\r\n");
	struct pop3_credentials c = {
		.method = x->mech == SASL_PLAIN ? "PLAIN" : "LOGIN",
		.sasl = x->credentials,
	};
	return finish(l, &c);
}

static int may_suspend cmd_auth(struct pop3_login *l, const struct pop3_line *line)
{
	struct sasl_exchange x = { .arena = &l->arena };

	/* Some clients ask for the mechanisms with a bare AUTH instead of CAPA. */
	if (line->count == 0)
		return answer(l,
			      login_allowed(l) ? "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n" : "+OK\r\n.\r\n");
	if (!login_allowed(l))
		return answer(l, NEEDS_TLS);
	if (!sasl_mech_parse(line->arg[0], &x.mech))
		return answer(l, "-ERR Unsupported authentication mechanism.\r\n");
	struct str initial = line->count > 1 ? arena_str(&l->arena, line->arg[1]) : STR_NONE;
	return exchange(l, &x, initial);
}

static int may_suspend cmd_utf8(struct pop3_login *l, const struct pop3_line *line)
{
	(void)line;
	/* RFC 6856 2: messages are never downgraded, so there is nothing to switch. */
	return answer(l, "+OK UTF8 enabled\r\n");
}

static int may_suspend cmd_quit(struct pop3_login *l, const struct pop3_line *line)
{
	(void)line;
	l->ended = true;
	return answer(l, "+OK Logging out\r\n");
}

static const struct {
	const char *keyword;
	int may_suspend (*run)(struct pop3_login *l, const struct pop3_line *line);
} commands[] = {
	{ "CAPA", cmd_capa }, { "STLS", cmd_stls }, { "USER", cmd_user }, { "PASS", cmd_pass },
	{ "AUTH", cmd_auth }, { "UTF8", cmd_utf8 }, { "QUIT", cmd_quit },
};

static int may_suspend bad(struct pop3_login *l, const char *text)
{
	l->ended = ++l->bad >= LOGIN_BAD_MAX;
	return answer(l, text);
}

static int may_suspend dispatch(struct pop3_login *l, struct str text)
{
	struct pop3_line line = pop3_line_parse(text);

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq_nocase(line.keyword, str_from(commands[i].keyword)))
			return commands[i].run(l, &line);
	return bad(l, "-ERR Unknown command, or not before the login.\r\n");
}

static int may_suspend one_command(struct pop3_login *l)
{
	struct str text;
	int r = stream_read_line(l->stream, POP3_LINE_MAX, &text);

	if (r == -EMSGSIZE) {
		r = stream_skip_line(l->stream);
		return r < 0 ? r : bad(l, "-ERR Line too long.\r\n");
	}
	if (r < 0)
		return r;
	arena_reset(&l->arena);
	/* The line is the stream's until the next read, which SASL does: keep it. */
	return dispatch(l, arena_str(&l->arena, text));
}

static int may_suspend serve(struct pop3_login *l)
{
	int r = answer(l, "+OK Posthorn ready.\r\n");

	while (r == 0 && !l->ended)
		r = one_command(l);
	if (r == -ENODATA)
		r = 0;
	if (r == 0 && !l->handed_over)
		r = stream_flush(l->stream);
	if (r < 0)
		return r;
	return l->handed_over ? POP3_LOGIN_HANDED_OVER : POP3_LOGIN_CLOSED;
}

int pop3_login_run(const struct pop3_login_params *p, struct err *err)
{
	struct pop3_login l = {
		.params = p,
		.stream = p->stream,
		.err = err,
		.secure = p->secure,
		.tls = stream_layer(p->stream) != NULL,
	};

	arena_init(&l.arena);
	arena_init(&l.names);
	int64_t limit = fiber_limit_begin(loop_deadline(p->time_ms));
	int r = serve(&l);
	fiber_limit_end(limit);
	arena_done(&l.arena);
	arena_done(&l.names);
	return r;
}
