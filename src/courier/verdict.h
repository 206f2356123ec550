/* What is said of recipients when something came of an attempt, or nothing. */
#pragma once

#include "courier/courier.h"
#include "courier/reply.h"

#define VERDICT_TEXT_MAX (REPLY_TEXT_MAX + 100)

struct verdict {
	enum courier_outcome outcome;
	enum courier_trouble trouble;
	char status[12];
	char text[VERDICT_TEXT_MAX];
};

/* A reason of our own. */
void verdict_set(struct verdict *v, enum courier_outcome outcome, const char *status,
		 const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A reply, and to what ("RCPT TO command"; NULL: not said). */
void verdict_from_reply(struct verdict *v, const struct courier_reply *r, const char *to);

/* Make a refusal one that counts this time only: it is about us or the server, and not about the
 * message. */
void verdict_soften(struct verdict *v);
