/* The table of commands: what can be asked, under which names, and what `help` says about it. */
#include "base/buf.h"
#include "setup/setup.h"

#define ARGS_MAX ((size_t)1 << 20)

#define PASSWORD_DETAILS                                                                           \
	"    Without PASSWORD it is asked for, without being shown. The password may hold any\n"   \
	"    character.\n"

#define JSON_DETAILS "    --json gives one object a line.\n"

/* Of commands that do something to messages. */
#define ACT_DETAILS                                                                                \
	"    One that is not there is named, and makes the command fail when the others are "      \
	"done.\n"

#define DKIM_DETAILS                                                                               \
	"    Make the keys with which mail is signed, and say which record the DNS must have.\n"   \
	"    keysize   bits of an RSA key: 1024, 2048 (the default) or 4096\n"                     \
	"    selector  name of the key; default: mail\n"                                           \
	"    domain    default: all domains of accounts and aliases\n"                             \
	"    keytype   rsa (the default) or ed25519\n"                                             \
	"    rotate    change keys: makes new ones, says which records they need, and goes on\n"   \
	"              signing with the old ones. Called again, it lets those sign whose record\n" \
	"              is in the DNS (-f: without looking), and says how long the old record "     \
	"has\n"                                                                                    \
	"              to stay. Keys that are not used any more stay where they are.\n"            \
	"    Keys are never overwritten. With ENABLE_RSPAMD=1 and ENABLE_OPENDKIM=0 they are\n"    \
	"    kept as Rspamd has them, for one domain (default: the server's); then -f, or\n"       \
	"    --force, overwrites, and -v tells what is done.\n"

static const struct setup_command commands[] = {
	{ STR_INIT("email"), STR_INIT("add"), "addmailuser", cmd_email_add, 1,
	  "<EMAIL ADDRESS> [<PASSWORD>]", "add an account",
	  "    Create the account EMAIL ADDRESS. Upper-case letters become lower-case "
	  "ones.\n" PASSWORD_DETAILS },
	{ STR_INIT("email"), STR_INIT("update"), "updatemailuser", cmd_email_update, 1,
	  "<EMAIL ADDRESS> [<PASSWORD>]", "change the password of an account",
	  "    Give an existing account another password; its attributes stay as they "
	  "are.\n" PASSWORD_DETAILS },
	{ STR_INIT("email"), STR_INIT("del"), "delmailuser", cmd_email_del, 1,
	  "[-y|-n] <EMAIL ADDRESS> [<EMAIL ADDRESS>...]",
	  "delete accounts with their aliases and quotas",
	  "    Delete accounts, take them out of all aliases, and delete their quotas.\n"
	  "    -y  delete the mail as well, without asking\n"
	  "    -n  keep the mail, without asking\n" },
	{ STR_INIT("email"), STR_INIT("list"), "listmailuser", cmd_email_list, 0, "",
	  "list all accounts with their quota and aliases",
	  "    One block for each account: stored mail, limit (~ for none), percentage, and the\n"
	  "    aliases that lead to it.\n" },
	{ STR_INIT("email"), STR_INIT("restrict"), "restrict-access", cmd_email_restrict, 0,
	  "<add|del|list> <send|receive> [<EMAIL ADDRESS>]",
	  "forbid addresses to send or to receive",
	  "    add or del a prohibition for one address, or list those that exist. Without\n"
	  "    EMAIL ADDRESS it is asked for.\n" },
	{ STR_INIT("alias"), STR_INIT("add"), "addalias", cmd_alias_add, 2,
	  "<EMAIL ADDRESS> <RECIPIENT>", "let an address lead to a recipient",
	  "    Mail for EMAIL ADDRESS goes to RECIPIENT, here or elsewhere. Repeat it to add\n"
	  "    recipients, or give several, separated by commas. @domain catches all addresses\n"
	  "    of a domain.\n" },
	{ STR_INIT("alias"), STR_INIT("del"), "delalias", cmd_alias_del, 2,
	  "<EMAIL ADDRESS> <RECIPIENT>", "take a recipient from an alias",
	  "    The alias ends with its last recipient.\n" },
	{ STR_INIT("alias"), STR_INIT("list"), "listalias", cmd_alias_list, 0, "",
	  "list all aliases", "    One line for each alias, as it stands in the file.\n" },
	{ STR_INIT("quota"), STR_INIT("set"), "setquota", cmd_quota_set, 1,
	  "<EMAIL ADDRESS> [<QUOTA>]", "limit the mail an account may store",
	  "    QUOTA is a whole number with the unit B, k, M, G or T (powers of 1024), or 0 for\n"
	  "    no limit. Without it, it is asked for.\n" },
	{ STR_INIT("quota"), STR_INIT("del"), "delquota", cmd_quota_del, 1, "<EMAIL ADDRESS>",
	  "return an account to the default limit",
	  "    Without a quota of its own, the server's default applies to the account.\n" },
	{ STR_INIT("quota"), STR_INIT("recount"), "recountquota", cmd_quota_recount, 1,
	  "<EMAIL ADDRESS>", "count the mail of an account anew",
	  "    Count what the account stores from its files, and let the server do the same.\n" },
	{ STR_INIT("relay"), STR_INIT("add-domain"), "addrelayhost", cmd_relay_add_domain, 2,
	  "<DOMAIN> <HOST> [<PORT>]", "send what comes from a domain through another server",
	  "    Mail with a sender in DOMAIN leaves through HOST, port 25 without PORT. What was\n"
	  "    said of DOMAIN before is replaced.\n" },
	{ STR_INIT("relay"), STR_INIT("add-auth"), "addsaslpassword", cmd_relay_add_auth, 2,
	  "<DOMAIN> <USERNAME> [<PASSWORD>]", "log in to a relay with what comes from a domain",
	  "    Mail with a sender in DOMAIN leaves with this login. The password is kept in\n"
	  "    clear: the relay wants to see it. Without PASSWORD it is asked for.\n" },
	{ STR_INIT("relay"), STR_INIT("exclude-domain"), "excluderelaydomain",
	  cmd_relay_exclude_domain, 1, "<DOMAIN>", "leave RELAY_HOST to other domains",
	  "    Mail with a sender in DOMAIN goes to its recipients' servers by itself, or to\n"
	  "    DEFAULT_RELAY_HOST.\n" },
	{ STR_INIT("config"), STR_INIT("dkim"), "open-dkim", cmd_dkim, 0,
	  "[rotate] [keysize <N>] [selector <S>] [domain <D>[,<D>...]] [keytype <rsa|ed25519>]",
	  "Configure DKIM (DomainKeys Identified Mail)", DKIM_DETAILS },
	{ STR_INIT(""), STR_INIT("rspamd-dkim"), "rspamd-dkim", cmd_dkim_rspamd, 0,
	  "[keysize <N>] [selector <S>] [domain <D>] [keytype <rsa|ed25519>] [-f]",
	  "Configure DKIM (DomainKeys Identified Mail)", DKIM_DETAILS },
	{ STR_INIT("mailbox"), STR_INIT("list"), "listmailbox", cmd_mailbox_list, 1,
	  "<EMAIL ADDRESS>", "list the mailboxes of an account",
	  "    Messages, unseen ones, size, special use and subscription of each.\n" },
	{ STR_INIT("mailbox"), STR_INIT("status"), "mailboxstatus", cmd_mailbox_status, 1,
	  "<EMAIL ADDRESS> [<MAILBOX>]", "show what is known of mailboxes",
	  "    Counts, UIDVALIDITY and next UID of one mailbox, or of all.\n" },
	{ STR_INIT("mailbox"), STR_INIT("check"), "checkmailbox", cmd_mailbox_check, 1,
	  "<EMAIL ADDRESS> [<MAILBOX>]", "read all mail of an account, mend what is damaged",
	  "    Read every message from beginning to end and compare the list of UIDs with the\n"
	  "    files. What can be mended is, and each finding is told. The server may run.\n" },
	{ STR_INIT("mailbox"), STR_INIT("reindex"), "reindexmailbox", cmd_mailbox_reindex, 1,
	  "<EMAIL ADDRESS> [<MAILBOX>]", "make the indexes of an account again",
	  "    What is known of messages beside their files is thrown away and made again; by\n"
	  "    the server, where it has the mailbox in use. Without MAILBOX the full-text index\n"
	  "    as well, by the server when the account is used next.\n" },
	{ STR_INIT("mailbox"), STR_INIT("fulltext"), "fulltextmailbox", cmd_mailbox_fulltext, 1,
	  "<EMAIL ADDRESS> [--wait]", "say how far the full-text index of an account has come",
	  "    The server fills it in the background; searches read what is not in yet. --wait\n"
	  "    shows the progress and returns when all is in.\n" },
	{ STR_INIT("mailbox"), STR_INIT("export"), "exportmailbox", cmd_mailbox_export, 2,
	  "<EMAIL ADDRESS> <FILE> [<MAILBOX>]", "write the mail of an account to a file",
	  "    FILE ends in .mbox (one mailbox) or .tar; any other name becomes a Maildir. It "
	  "must\n"
	  "    not exist. Flags, keywords and dates go along.\n" },
	{ STR_INIT("mailbox"), STR_INIT("import"), "importmailbox", cmd_mailbox_import, 2,
	  "<EMAIL ADDRESS> <FILE> [<MAILBOX>]", "add the mail of a file to an account",
	  "    FILE is a .tar of a Maildir, a directory that is one, or an mbox file. Mailboxes\n"
	  "    that are missing are created; with MAILBOX all of it goes there.\n" },
	{ STR_INIT("dns"), STR_INIT("check"), "checkdns", cmd_dns_check, 0,
	  "[--address <ADDRESS>]... [--strict] [--json|--yaml] [<DOMAIN>...]",
	  "check what the DNS says of the server and its domains",
	  "    Name, address and PTR of the server, DANE and CAA; MX, SPF, DKIM, DMARC, MTA-STS,\n"
	  "    TLS-RPT and SRV records of each DOMAIN, or of all that have accounts or aliases.\n"
	  "    For what is missing or wrong the record to add is shown, as a line for a zone. The\n"
	  "    server need not run; the DNS is asked as POSTHORN_DNS says.\n"
	  "    --address  a public address of the server; without it, what its name leads to\n"
	  "    --json     one object\n"
	  "    --yaml     (or --dnsendpoint) the records as DNSEndpoint of external-dns\n"
	  "    --strict   what is only advised counts as missing\n"
	  "    The exit status is 1 when something is missing, wrong or could not be found "
	  "out.\n" },
	{ STR_INIT("explain"), STR_INIT(""), "explainmail", cmd_explain, 1,
	  "[--client <ADDRESS>] [--helo <NAME>] [--from <EMAIL ADDRESS>] [--json] "
	  "<FILE|-|MESSAGE-ID|QUEUE ID>",
	  "say what SPF, DKIM, DMARC and ARC make of a message, and why",
	  "    First what was found when it came in, as the history, the log and the message\n"
	  "    itself have it; then what the running server finds now, with the records that it\n"
	  "    was found in, and what it would answer.\n"
	  "    --client  address of the server that sent it; --helo what that called itself;\n"
	  "    --from    sender of the envelope, <> for none. Without these they are what this\n"
	  "              server wrote on top of the message when it came in.\n"
	  "    --json    one object: then, now\n" },
	{ STR_INIT("queue"), STR_INIT("list"), "listqueue", cmd_queue_list, 0, "[--json]",
	  "list the mail that waits",
	  "    Each message with what its recipients wait for; * is being delivered, ! is held.\n"
	  "    --json gives one object for each, with the names of `postqueue -j`.\n" },
	{ STR_INIT("queue"), STR_INIT("show"), "showqueue", cmd_queue_show, 1,
	  "[--json] <QUEUE ID>", "show a message of the queue",
	  "    The envelope, every attempt so far, and the message itself.\n" JSON_DETAILS },
	{ STR_INIT("queue"), STR_INIT("trace"), "tracequeue", cmd_queue_trace, 1,
	  "[--json] <MESSAGE-ID|EMAIL ADDRESS|QUEUE ID>", "say what became of mail",
	  "    Every attempt at every message with this Message-ID, sender, recipient or queue\n"
	  "    id: when, which host, how it was encrypted, what was answered. Also for mail that\n"
	  "    is gone.\n" JSON_DETAILS },
	{ STR_INIT("queue"), STR_INIT("retry"), "retryqueue", cmd_queue_retry, 1,
	  "<QUEUE ID> [<QUEUE ID>...]", "try messages now",
	  "    Those that wait for their next attempt have it now. `all` is all of "
	  "them.\n" ACT_DETAILS },
	{ STR_INIT("queue"), STR_INIT("flush"), "flushqueue", cmd_queue_flush, 0, "[<DOMAIN>]",
	  "try everything now, or what goes to a domain",
	  "    As retry, for all messages with a recipient there.\n" },
	{ STR_INIT("queue"), STR_INIT("hold"), "holdqueue", cmd_queue_hold, 1,
	  "<QUEUE ID> [<QUEUE ID>...]", "hold messages back",
	  "    They are not tried until they are released. `all` is all that are there "
	  "now.\n" ACT_DETAILS },
	{ STR_INIT("queue"), STR_INIT("release"), "releasequeue", cmd_queue_release, 1,
	  "<QUEUE ID> [<QUEUE ID>...]", "release messages that are held",
	  "    They are tried at once. `all` is all of them.\n" ACT_DETAILS },
	{ STR_INIT("queue"), STR_INIT("delete"), "deletequeue", cmd_queue_delete, 1,
	  "<QUEUE ID> [<QUEUE ID>...]", "delete messages from the queue",
	  "    Nobody is told. What is being delivered just now may arrive. `all` is all of "
	  "them.\n" ACT_DETAILS },
	{ STR_INIT("queue"), STR_INIT("stats"), "statsqueue", cmd_queue_stats, 0, "[--json]",
	  "count what waits by domain and age",
	  "    Recipients by domain, and by how many minutes ago their message came "
	  "in.\n" JSON_DETAILS },
	{ STR_INIT("queue"), STR_INIT("suppressed"), "suppressedqueue", cmd_queue_suppressed, 0,
	  "[--json]", "list addresses that are refused because they were refused",
	  "    With POSTHORN_SUPPRESS: when, and what their server said.\n" JSON_DETAILS },
	{ STR_INIT("queue"), STR_INIT("unsuppress"), "unsuppressqueue", cmd_queue_unsuppress, 1,
	  "<EMAIL ADDRESS>", "let an address be tried again",
	  "    Its server is asked for the next message.\n" },
	{ STR_INIT(""), STR_INIT("mailq"), "mailq", cmd_mailq, 0, "", "list the mail that waits",
	  "    As `setup queue list`.\n" },
	{ STR_INIT(""), STR_INIT("postqueue"), "postqueue", cmd_postqueue, 1,
	  "-p | -j | -f | -i <QUEUE ID> | -s <DOMAIN>", "list the queue, or try mail now",
	  "    -p and -j list it, -f tries everything, -i a message, -s what goes to a domain.\n" },
	{ STR_INIT(""), STR_INIT("postsuper"), "postsuper", cmd_postsuper, 1,
	  "-d|-h|-H|-r <QUEUE ID>|-|ALL ... [<QUEUE>...]",
	  "delete, hold, release or retry messages",
	  "    -d deletes, -h holds, -H releases, -r tries now; as often as there are messages to\n"
	  "    name. - reads queue ids from the input.\n"
	  "    ALL may be limited to the queues incoming, active, deferred or hold.\n" },
	{ STR_INIT("dovecot-master"), STR_INIT("add"), "adddovecotmasteruser", cmd_master_add, 1,
	  "<USERNAME> [<PASSWORD>]", "add a master account",
	  "    A master account logs in to any mailbox, as "
	  "user@domain*USERNAME.\n" PASSWORD_DETAILS },
	{ STR_INIT("dovecot-master"), STR_INIT("update"), "updatedovecotmasteruser",
	  cmd_master_update, 1, "<USERNAME> [<PASSWORD>]",
	  "change the password of a master account",
	  "    Give an existing master account another password.\n" PASSWORD_DETAILS },
	{ STR_INIT("dovecot-master"), STR_INIT("del"), "deldovecotmasteruser", cmd_master_del, 1,
	  "<USERNAME> [<USERNAME>...]", "delete master accounts",
	  "    Their logins end; mailboxes are not touched.\n" },
	{ STR_INIT("dovecot-master"), STR_INIT("list"), "listdovecotmasteruser", cmd_master_list, 0,
	  "", "list all master accounts", "    One line for each of them.\n" },
};

const struct setup_command *setup_commands(unsigned *count)
{
	*count = ARRAY_LEN(commands);
	return commands;
}

const struct setup_command *setup_command_find(struct str group, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(commands[i].group, group) && str_eq(commands[i].name, name))
			return &commands[i];
	return NULL;
}

const struct setup_command *setup_command_find_program(struct str program)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(str_from(commands[i].program), program))
			return &commands[i];
	return NULL;
}

struct str setup_args_from(struct setup *s, unsigned i)
{
	struct buf joined;
	buf_init(&joined, &s->arena, ARGS_MAX);
	for (unsigned first = i; i < s->count; i++) {
		if (i > first)
			buf_putc(&joined, ' ');
		buf_put_str(&joined, s->args[i]);
	}
	buf_cstr(&joined);
	return buf_str(&joined);
}
