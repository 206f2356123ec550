#include "smtp/reply.h"
#include "smtp/session.h"

void cmd_noop(struct smtp_session *s, struct str arg)
{
	(void)arg; /* RFC 5321 4.1.1.9: ignored */
	smtp_reply(s, "250 2.0.0 Ok");
}
