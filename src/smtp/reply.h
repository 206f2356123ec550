/* Replies, and what follows from them: error counts, tallies, log lines of refusals. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct smtp_session;

/* One line, without its end. Control characters become "?", and so does everything beyond ASCII
 * unless the transaction is SMTPUTF8 (RFC 6531 3.7.4.2); too long a text is cut. */
void may_suspend smtp_reply(struct smtp_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Several lines of one code, which begins each of them. */
void may_suspend smtp_reply_lines(struct smtp_session *s, unsigned code, const struct str *lines,
				  size_t count);

/* Refuse what the peer wants and log it the way that people look for:
 * "NOQUEUE: reject: RCPT from name[address]: 550 ...; from=<> to=<> proto=ESMTP helo=<>". */
void may_suspend smtp_refuse(struct smtp_session *s, struct str rcpt, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Put a reply on the wire that is no answer to a command: greeting, 421, 354. Same cleaning. */
void may_suspend smtp_say(struct smtp_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
