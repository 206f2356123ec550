#include <errno.h>

#include "smtp/reply.h"
#include "smtp/session.h"

static void refuse_path(struct smtp_session *s, int error)
{
	if (error == -EMSGSIZE)
		smtp_reply(s, "501 5.1.7 Bad sender address syntax: too long");
	else
		smtp_reply(s, "501 5.1.7 Bad sender address syntax");
}

static bool is_too_big(const struct smtp_session *s, uint64_t size)
{
	uint64_t limit = (uint64_t)s->settings->message_size_limit;
	return limit && size > limit;
}

/* Read path and parameters into the new transaction. False when the command was refused. */
static bool parse(struct smtp_session *s, struct smtp_tx *tx, struct str arg)
{
	int r = smtp_path_parse(&arg, &s->tx_arena, &tx->sender);
	if (r < 0) {
		refuse_path(s, r);
		return false;
	}
	const char *refusal =
		smtp_mail_params_parse(arg, smtp_extensions(s), &s->tx_arena, &tx->params);
	if (refusal) {
		smtp_reply(s, "%s", refusal);
		return false;
	}
	/* RFC 6531 3.4 */
	if (tx->sender.utf8 && !(tx->params.flags & ENVELOPE_SMTPUTF8)) {
		smtp_reply(s, "553 5.6.7 Error: non-ASCII address needs SMTPUTF8");
		return false;
	}
	if (is_too_big(s, tx->params.size)) {
		smtp_reply(s, "552 5.3.4 Message size exceeds fixed limit");
		return false;
	}
	return true;
}

void cmd_mail(struct smtp_session *s, struct str arg)
{
	if (!s->helo.n) {
		smtp_reply(s, "503 5.5.1 Error: send HELO/EHLO first");
		return;
	}
	if (s->tx) {
		smtp_reply(s, "503 5.5.1 Error: nested MAIL command");
		return;
	}
	if (!str_starts_nocase(arg, STR("FROM:"))) {
		smtp_reply(s, "501 5.5.4 Syntax: MAIL FROM:<address>");
		return;
	}

	struct smtp_tx *tx = smtp_tx_begin(s);
	if (!parse(s, tx, str_skip(arg, 5))) {
		smtp_tx_end(s);
		return;
	}
	if (tx->sender.local.n && !tx->sender.domain.n)
		smtp_path_qualify(&tx->sender, s->settings->fqdn, &s->tx_arena);
	s->junk = 0;
	smtp_reply(s, "250 2.1.0 Ok");
}
