#include "base/err.h"
#include "core/tls.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"

/* RFC 3207 4.2: what was learned in clear text is forgotten. */
static void begin_anew(struct smtp_session *s)
{
	smtp_tx_end(s);
	s->helo = STR_NONE;
	s->esmtp = false;
	s->login = STR_NONE;
}

void cmd_starttls(struct smtp_session *s, struct str arg)
{
	struct err err;

	if (str_trim(arg).n) {
		smtp_reply(s, "501 5.5.4 Syntax: STARTTLS");
		return;
	}
	if (s->tls) {
		smtp_reply(s, "554 5.5.1 Error: TLS already active");
		return;
	}
	struct tls_context *ctx = s->svc->tls(s->svc->ctx);
	if (!ctx) {
		smtp_reply(s, "502 5.5.1 Error: command not implemented");
		return;
	}
	smtp_reply(s, "220 2.0.0 Ready to start TLS");
	int r = tls_accept(s->stream, ctx, &err);
	tls_context_unref(ctx);
	if (r < 0) {
		smtp_report_tls_failed(&err);
		s->closing = true;
		return;
	}
	s->tls = true;
	begin_anew(s);
	smtp_report_tls(s);
}
