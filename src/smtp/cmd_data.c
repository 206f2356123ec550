#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"
#include "smtp/transfer.h"

/* False when there can be no data now: replied. */
static bool may_begin(struct smtp_session *s)
{
	if (!s->tx || s->tx->body || s->tx->failed) {
		smtp_reply(s, !s->tx ? "503 5.5.1 Error: need RCPT command"
				     : "503 5.5.1 Error: DATA after BDAT");
	} else if (!s->tx->rcpt_count && s->early_talker) {
		smtp_refuse(s, STR_NONE, "503 5.5.1 Error: DATA without valid RCPT");
	} else if (!s->tx->rcpt_count) {
		smtp_reply(s, s->tx->rcpts_tried ? "554 5.5.1 Error: no valid recipients"
						 : "503 5.5.1 Error: need RCPT command");
	} else if (s->tx->params.flags & ENVELOPE_BINARYMIME) {
		/* RFC 3030 3: binary has no end but its length. */
		smtp_reply(s, "503 5.5.1 Error: BODY=BINARYMIME needs BDAT");
	} else if (stream_peek(s->stream).n) {
		/* RFC 2920 3.1: DATA ends a group. Whoever sends the message without waiting for
		 * 354 does not know that it speaks to us: smuggled commands look like this. */
		log_event(LOG_SMTP_PIPELINING, LOG_CSTR("stage", "DATA"),
			  LOG_STR("text", str_sub(stream_peek(s->stream), 0, 60)));
		smtp_refuse(s, STR_NONE,
			    "503 5.5.0 <DATA>: Data command rejected: "
			    "Improper use of SMTP command pipelining");
		s->closing = true;
	} else {
		return true;
	}
	return false;
}

void cmd_data(struct smtp_session *s, struct str arg)
{
	if (str_trim(arg).n) {
		smtp_reply(s, "501 5.5.4 Syntax: DATA");
		return;
	}
	if (!may_begin(s))
		return;

	struct smtp_receive *r = smtp_tx_receive(s, true);
	smtp_say(s, "354 End data with <CR><LF>.<CR><LF>");
	int error = smtp_transfer_data(s, r);
	if (error < 0)
		smtp_abandon(s, error);
	else
		smtp_tx_finish(s, r);
	smtp_tx_end(s);
}
