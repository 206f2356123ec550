#include "smtp/reply.h"
#include "smtp/session.h"

void cmd_quit(struct smtp_session *s, struct str arg)
{
	if (str_trim(arg).n) {
		smtp_reply(s, "501 5.5.4 Syntax: QUIT");
		return;
	}
	smtp_reply(s, "221 2.0.0 Bye");
	s->closing = true;
}
