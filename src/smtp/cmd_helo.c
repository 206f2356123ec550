#include <stdio.h>

#include "core/settings.h"
#include "smtp/reply.h"
#include "smtp/session.h"

#define EHLO_LINES 16

/* RFC 5321 4.1.4: a new EHLO begins anew. Whether the name is any good is decided at RCPT, where
 * the refusal can be logged with all that is known. */
static bool take_name(struct smtp_session *s, struct str arg, const char *verb)
{
	struct str name = str_trim(arg);
	if (name.n == 0 || str_find_byte(name, ' ') >= 0) {
		smtp_reply(s, "501 5.5.4 Syntax: %s hostname", verb);
		return false;
	}
	smtp_tx_end(s);
	if (!str_eq(name, s->helo))
		s->helo = arena_str(&s->arena, str_sub(name, 0, ENVELOPE_TEXT_MAX));
	return true;
}

void cmd_helo(struct smtp_session *s, struct str arg)
{
	if (!take_name(s, arg, "HELO"))
		return;
	s->esmtp = false;
	smtp_reply(s, "250 %" STR_FMT, STR_ARG(s->settings->fqdn));
}

/* RFC 3461 4 says nothing against DSN on port 25, but anybody may knock there: success reports to
 * strangers tell who exists and can be aimed at third parties. So it is for users only. */
unsigned smtp_extensions(const struct smtp_session *s)
{
	unsigned for_users = SMTP_EXTENSION_AUTH | SMTP_EXTENSION_DSN;
	unsigned offered = smtp_is_submission(s) ? for_users : 0;

	/* RFC 8689 2: what came in the clear cannot ask for it. */
	if (s->tls)
		offered |= SMTP_EXTENSION_REQUIRETLS;
	/* RFC 6710 4.1: not for strangers; users log in after EHLO. */
	if (smtp_is_submission(s) || smtp_may_relay(s))
		offered |= SMTP_EXTENSION_PRIORITY;
	return offered;
}

void cmd_ehlo(struct smtp_session *s, struct str arg)
{
	if (!take_name(s, arg, "EHLO"))
		return;
	s->esmtp = true;

	const struct settings *set = s->settings;
	struct str lines[EHLO_LINES];
	char size[32] = "SIZE", limits[48];
	size_t n = 0;
	if (set->message_size_limit)
		snprintf(size, sizeof(size), "SIZE %lld", (long long)set->message_size_limit);
	snprintf(limits, sizeof(limits), "LIMITS RCPTMAX=%lld",
		 (long long)set->smtp_recipients_max);

	lines[n++] = set->fqdn;
	lines[n++] = STR("PIPELINING");
	lines[n++] = str_from(size);
	if (!s->tls && smtp_has_tls(s))
		lines[n++] = STR("STARTTLS");
	if (smtp_auth_allowed(s)) {
		lines[n++] = STR("AUTH PLAIN LOGIN");
		lines[n++] = STR("AUTH=PLAIN LOGIN"); /* what clients of 1999 look for */
	}
	lines[n++] = STR("ENHANCEDSTATUSCODES");
	lines[n++] = STR("8BITMIME");
	if (smtp_extensions(s) & SMTP_EXTENSION_DSN)
		lines[n++] = STR("DSN");
	if (smtp_extensions(s) & SMTP_EXTENSION_REQUIRETLS)
		lines[n++] = STR("REQUIRETLS");
	if (smtp_extensions(s) & SMTP_EXTENSION_PRIORITY)
		lines[n++] = STR("MT-PRIORITY");
	lines[n++] = STR("SMTPUTF8");
	lines[n++] = STR("CHUNKING");
	lines[n++] = STR("BINARYMIME");
	lines[n++] = str_from(limits);
	lines[n++] = STR("HELP");
	check(n <= EHLO_LINES);
	smtp_reply_lines(s, 250, lines, n);
}
