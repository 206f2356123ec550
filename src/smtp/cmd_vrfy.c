#include "smtp/reply.h"
#include "smtp/session.h"

/* RFC 5321 3.5.3: whoever wants to know whether an address exists has to send mail to it. */
void cmd_vrfy(struct smtp_session *s, struct str arg)
{
	if (str_trim(arg).n == 0)
		smtp_reply(s, "501 5.5.4 Syntax: VRFY address");
	else
		smtp_reply(s, "252 2.1.0 Cannot VRFY user, but will take mail for it if it exists");
}
