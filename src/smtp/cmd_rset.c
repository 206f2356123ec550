#include "smtp/reply.h"
#include "smtp/session.h"

void cmd_rset(struct smtp_session *s, struct str arg)
{
	if (str_trim(arg).n) {
		smtp_reply(s, "501 5.5.4 Syntax: RSET");
		return;
	}
	smtp_tx_end(s);
	smtp_reply(s, "250 2.0.0 Ok");
}
