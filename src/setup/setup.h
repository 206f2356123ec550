/* What every sub-command of `setup` gets and returns. One process runs one command and ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"

enum setup_exit {
	SETUP_OK = 0,
	SETUP_ERROR = 1,   /* something is wrong with the arguments, or could not be done */
	SETUP_UNKNOWN = 2, /* there is no such command */
};

#define SETUP_ACCOUNTS	   "postfix-accounts.cf"
#define SETUP_MASTERS	   "dovecot-masters.cf"
#define SETUP_VIRTUAL	   "postfix-virtual.cf"
#define SETUP_QUOTAS	   "dovecot-quotas.cf"
#define SETUP_RELAYS	   "postfix-relaymap.cf"
#define SETUP_RELAY_LOGINS "postfix-sasl-password.cf"

struct setup_command;

struct setup {
	const struct setup_command *command;
	struct str *args; /* behind the name of the command */
	unsigned count;
	struct arena arena;
	struct str config_dir;
	struct str mail_dir;
	struct str index_dir, text_index_dir;
	struct str state_dir;
};

struct setup_command {
	struct str group; /* "email"; empty for a second form that only exists as a program name */
	struct str name;  /* "add"; empty for a command of one word */
	const char *program; /* "addmailuser": what argv[0] may say, and who speaks in messages */
	enum setup_exit (*run)(struct setup *s);
	unsigned least; /* number of arguments */
	const char *arguments;
	const char *summary; /* one line */
	const char *details;
};

/* Argument i, or an empty one. */
static inline struct str setup_arg(const struct setup *s, unsigned i)
{
	return i < s->count ? s->args[i] : STR("");
}

/* The arguments from i on, joined by single blanks: how passwords with blanks may be written. */
struct str setup_args_from(struct setup *s, unsigned i);

/* The command asked for, by its words or by the name of the program; NULL when there is none. */
const struct setup_command *setup_command_find(struct str group, struct str name);
const struct setup_command *setup_command_find_program(struct str program);
const struct setup_command *setup_commands(unsigned *count);

enum setup_exit cmd_email_add(struct setup *s);
enum setup_exit cmd_email_update(struct setup *s);
enum setup_exit cmd_email_del(struct setup *s);
enum setup_exit cmd_email_list(struct setup *s);
enum setup_exit cmd_email_restrict(struct setup *s);
enum setup_exit cmd_alias_add(struct setup *s);
enum setup_exit cmd_alias_del(struct setup *s);
enum setup_exit cmd_alias_list(struct setup *s);
enum setup_exit cmd_dkim(struct setup *s);
enum setup_exit cmd_dkim_rspamd(struct setup *s);
enum setup_exit cmd_dkim_rotate(struct setup *s);
enum setup_exit cmd_quota_set(struct setup *s);
enum setup_exit cmd_quota_del(struct setup *s);
enum setup_exit cmd_quota_recount(struct setup *s);
enum setup_exit cmd_mailbox_list(struct setup *s);
enum setup_exit cmd_mailbox_status(struct setup *s);
enum setup_exit cmd_mailbox_check(struct setup *s);
enum setup_exit cmd_mailbox_reindex(struct setup *s);
enum setup_exit cmd_mailbox_fulltext(struct setup *s);
enum setup_exit cmd_mailbox_export(struct setup *s);
enum setup_exit cmd_mailbox_import(struct setup *s);
enum setup_exit cmd_dns_check(struct setup *s);
enum setup_exit cmd_explain(struct setup *s);
enum setup_exit cmd_queue_list(struct setup *s);
enum setup_exit cmd_queue_show(struct setup *s);
enum setup_exit cmd_queue_stats(struct setup *s);
enum setup_exit cmd_queue_trace(struct setup *s);
enum setup_exit cmd_queue_retry(struct setup *s);
enum setup_exit cmd_queue_hold(struct setup *s);
enum setup_exit cmd_queue_release(struct setup *s);
enum setup_exit cmd_queue_delete(struct setup *s);
enum setup_exit cmd_queue_flush(struct setup *s);
enum setup_exit cmd_queue_suppressed(struct setup *s);
enum setup_exit cmd_queue_unsuppress(struct setup *s);
enum setup_exit cmd_mailq(struct setup *s);
enum setup_exit cmd_postqueue(struct setup *s);
enum setup_exit cmd_postsuper(struct setup *s);
enum setup_exit cmd_relay_add_domain(struct setup *s);
enum setup_exit cmd_relay_add_auth(struct setup *s);
enum setup_exit cmd_relay_exclude_domain(struct setup *s);
enum setup_exit cmd_master_add(struct setup *s);
enum setup_exit cmd_master_update(struct setup *s);
enum setup_exit cmd_master_del(struct setup *s);
enum setup_exit cmd_master_list(struct setup *s);
