#include "smtp/verbs.h"

#include "smtp/reply.h"

static const struct smtp_verb verbs[SMTP_VERB_COUNT] = {
	{ SMTP_VERB_EHLO, STR_INIT("EHLO"), "ehlo", SMTP_VERB_IDLE | SMTP_VERB_BEFORE_TLS,
	  cmd_ehlo },
	{ SMTP_VERB_HELO, STR_INIT("HELO"), "helo", SMTP_VERB_IDLE | SMTP_VERB_BEFORE_TLS,
	  cmd_helo },
	{ SMTP_VERB_STARTTLS, STR_INIT("STARTTLS"), "starttls", SMTP_VERB_BEFORE_TLS,
	  cmd_starttls },
	{ SMTP_VERB_AUTH, STR_INIT("AUTH"), "auth", 0, cmd_auth },
	{ SMTP_VERB_MAIL, STR_INIT("MAIL"), "mail", 0, cmd_mail },
	{ SMTP_VERB_RCPT, STR_INIT("RCPT"), "rcpt", 0, cmd_rcpt },
	{ SMTP_VERB_DATA, STR_INIT("DATA"), "data", 0, cmd_data },
	/* Always run: its bytes follow at once, and must not be taken for commands. */
	{ SMTP_VERB_BDAT, STR_INIT("BDAT"), "bdat", SMTP_VERB_BEFORE_TLS, cmd_bdat },
	{ SMTP_VERB_RSET, STR_INIT("RSET"), "rset", SMTP_VERB_IDLE, cmd_rset },
	{ SMTP_VERB_NOOP, STR_INIT("NOOP"), "noop", SMTP_VERB_IDLE | SMTP_VERB_BEFORE_TLS,
	  cmd_noop },
	{ SMTP_VERB_VRFY, STR_INIT("VRFY"), "vrfy", SMTP_VERB_IDLE, cmd_vrfy },
	{ SMTP_VERB_HELP, STR_INIT("HELP"), "help", SMTP_VERB_IDLE, cmd_help },
	{ SMTP_VERB_QUIT, STR_INIT("QUIT"), "quit", SMTP_VERB_BEFORE_TLS, cmd_quit },
	{ SMTP_VERB_UNKNOWN, STR_INIT(""), "unknown", SMTP_VERB_IDLE, cmd_unknown },
};

const struct smtp_verb *smtp_verb_by_id(enum smtp_verb_id id)
{
	check(verbs[id].id == id);
	return &verbs[id];
}

const struct smtp_verb *smtp_verb_find(struct str name)
{
	for (size_t i = 0; i < SMTP_VERB_UNKNOWN; i++)
		if (str_eq_nocase(verbs[i].name, name))
			return &verbs[i];
	return &verbs[SMTP_VERB_UNKNOWN];
}

void cmd_unknown(struct smtp_session *s, struct str arg)
{
	(void)arg;
	smtp_reply(s, "500 5.5.2 Error: command not recognized");
}
