#include "courier/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_set(struct verdict *v, enum courier_outcome outcome, const char *status,
		 const char *fmt, ...)
{
	va_list ap;

	*v = (struct verdict){ .outcome = outcome };
	snprintf(v->status, sizeof(v->status), "%s", status);
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	for (char *p = v->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

void verdict_from_reply(struct verdict *v, const struct courier_reply *r, const char *to)
{
	*v = (struct verdict){ .outcome = r->code / 100 == 2   ? COURIER_DELIVERED
					  : r->code / 100 == 5 ? COURIER_REFUSED
							       : COURIER_TRY_AGAIN,
			       .trouble = r->code == 421 ? COURIER_BUSY : COURIER_FINE };
	memcpy(v->status, r->status, sizeof(v->status));
	/* RFC 5321 4.2.1: 1xx and 3xx where none belongs; the status has to be a failure's. */
	if (v->outcome == COURIER_TRY_AGAIN && v->status[0] != '4')
		snprintf(v->status, sizeof(v->status), "4.5.0");
	struct str text = courier_reply_text(r);
	snprintf(v->text, sizeof(v->text), to ? "%" STR_FMT " (in reply to %s)" : "%" STR_FMT,
		 STR_ARG(text), to);
}

void verdict_soften(struct verdict *v)
{
	if (v->outcome != COURIER_REFUSED)
		return;
	v->outcome = COURIER_TRY_AGAIN;
	v->status[0] = '4';
}
