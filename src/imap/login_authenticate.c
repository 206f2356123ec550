/* AUTHENTICATE (RFC 3501 6.2.2) with initial responses (RFC 4959): PLAIN and LOGIN. */
#include <errno.h>

#include "auth/sasl.h"
#include "core/stream.h"
#include "imap/login.h"
#include "imap/login_session.h"

/* Challenges and responses until the credentials are there. -EBADMSG as RFC 3501 6.2.2 wants it,
 * also for a client that cancels. */
static int may_suspend exchange(struct imap_login *l, struct sasl_exchange *x, struct str initial)
{
	struct imap_feed *feed = l->lexer.feed;
	struct str challenge, line;
	enum sasl_step step = sasl_start(x, &l->arena, initial, &challenge);

	while (step == SASL_CONTINUE) {
		stream_printf(l->stream, "+ %" STR_FMT "\r\n", STR_ARG(challenge));
		int r = feed->line(feed, &l->arena, SASL_LINE_MAX, &line);
		if (r == -EMSGSIZE)
			return imap_lexer_bad(&l->lexer, "SASL response too long");
		if (r < 0)
			return r;
		step = sasl_next(x, line, &challenge);
	}
	if (step == SASL_ABORTED)
		return imap_lexer_bad(&l->lexer, "Authentication cancelled");
	return step == SASL_DONE ? 0 : imap_lexer_bad(&l->lexer, "Invalid SASL response");
}

int imap_login_cmd_authenticate(struct imap_login *l)
{
	struct imap_lexer *lx = &l->lexer;
	struct str name, initial = STR_NONE;
	struct sasl_exchange x;
	int r;

	if ((r = imap_lexer_space(lx)) < 0 || (r = imap_lexer_atom(lx, &name)) < 0)
		return r;
	if (imap_lexer_accept(lx, ' ')) {
		/* Base64 and "=" are astring characters. */
		if (imap_lexer_look(lx) == '{' || imap_lexer_look(lx) == '"')
			return imap_lexer_bad(lx, "Invalid SASL response");
		if ((r = imap_lexer_astring(lx, &initial)) < 0)
			return r;
	}
	if ((r = imap_lexer_end(lx)) < 0)
		return r;
	if (!imap_login_allowed(l))
		return imap_login_reply(l, IMAP_LOGIN_NEEDS_TLS);
	if (!sasl_mech_parse(name, &x.mech))
		return imap_login_reply(l, "NO Unsupported authentication mechanism.");
	if ((r = exchange(l, &x, initial)) < 0)
		return r;
	struct imap_credentials c = {
		.method = x.mech == SASL_PLAIN ? "PLAIN" : "LOGIN",
		.sasl = x.credentials,
	};
	return imap_login_finish(l, &c);
}
