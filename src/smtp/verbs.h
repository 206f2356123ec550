/* The commands: one table, one cmd_*.c for each. */
#pragma once

#include "base/str.h"

struct smtp_session;

enum smtp_verb_id {
	SMTP_VERB_EHLO,
	SMTP_VERB_HELO,
	SMTP_VERB_STARTTLS,
	SMTP_VERB_AUTH,
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_BDAT,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_VRFY,
	SMTP_VERB_HELP,
	SMTP_VERB_QUIT,
	SMTP_VERB_UNKNOWN,
	SMTP_VERB_COUNT,
};

enum smtp_verb_flag {
	SMTP_VERB_BEFORE_TLS = 1, /* also where TLS is demanded and not there yet */
	SMTP_VERB_IDLE = 2,	  /* gets nobody anywhere: too many of them are errors */
};

struct smtp_verb {
	enum smtp_verb_id id;
	struct str name;
	const char *log_name;
	unsigned flags;
	void (*run)(struct smtp_session *s, struct str arg); /* arg: what follows the space */
};

/* Never NULL: what is no command is SMTP_VERB_UNKNOWN. */
const struct smtp_verb *smtp_verb_find(struct str name);
const struct smtp_verb *smtp_verb_by_id(enum smtp_verb_id id);

void cmd_ehlo(struct smtp_session *s, struct str arg);
void cmd_helo(struct smtp_session *s, struct str arg);
void cmd_starttls(struct smtp_session *s, struct str arg);
void cmd_auth(struct smtp_session *s, struct str arg);
void cmd_mail(struct smtp_session *s, struct str arg);
void cmd_rcpt(struct smtp_session *s, struct str arg);
void cmd_data(struct smtp_session *s, struct str arg);
void cmd_bdat(struct smtp_session *s, struct str arg);
void cmd_rset(struct smtp_session *s, struct str arg);
void cmd_noop(struct smtp_session *s, struct str arg);
void cmd_vrfy(struct smtp_session *s, struct str arg);
void cmd_help(struct smtp_session *s, struct str arg);
void cmd_quit(struct smtp_session *s, struct str arg);
void cmd_unknown(struct smtp_session *s, struct str arg);
