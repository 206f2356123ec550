#include "smtp/reply.h"
#include "smtp/session.h"

void cmd_help(struct smtp_session *s, struct str arg)
{
	(void)arg;
	static const struct str lines[] = {
		STR_INIT("2.0.0 Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET"),
		STR_INIT("2.0.0 NOOP VRFY HELP QUIT (RFC 5321)"),
	};
	smtp_reply_lines(s, 214, lines, ARRAY_LEN(lines));
}
