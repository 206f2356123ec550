/* Everything the account files say, as one immutable snapshot. Loading is blocking file I/O;
 * queries touch memory only. A snapshot shares unchanged parts with its successor and belongs to
 * one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/access.h"
#include "auth/accounts.h"
#include "auth/aliases.h"
#include "auth/quotas.h"
#include "auth/regexp_aliases.h"
#include "auth/relay_logins.h"
#include "auth/relays.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

struct file_report;

#define DIRECTORY_FILE_MAX ((size_t)256 << 20)
#define DIRECTORY_FILES	   10

struct directory_config {
	const char *dir;		       /* /tmp/docker-mailserver */
	struct str fqdn;		       /* mail.example.org */
	struct str domain;		       /* example.org */
	struct str postmaster;		       /* empty: postmaster@<domain> */
	char delimiter;			       /* between local part and extension; 0: none */
	bool quotas;			       /* ENABLE_QUOTAS */
	uint64_t default_quota;		       /* bytes; 0: no limit */
	struct str relay_host;		       /* next hop of what managed domains send, or empty */
	struct str default_relay;	       /* next hop of all other mail, or empty */
	struct str relay_user, relay_password; /* for one of these two, or empty */
};

struct directory {
	const struct accounts *accounts;
	const struct accounts *masters;
	const struct aliases *virtual;
	const struct aliases *local;
	const struct regexp_aliases *regexp;
	const struct quotas *quotas;
	const struct access_table *send;
	const struct access_table *receive;
	const struct relays *relays;
	const struct relay_logins *relay_logins;

	struct str fqdn;
	struct str postmaster;
	char delimiter;
	bool quotas_enabled;
	uint64_t default_quota;
	struct str relay_host, default_relay, relay_user, relay_password;

	bool incomplete;	   /* who is not found may exist: a file could not be read */
	struct map managed;	   /* domains of accounts and of alias keys, in lower case */
	struct str local_names[3]; /* domains of the machine itself, in lower case */
	struct arena arena;
	struct directory_part *parts[DIRECTORY_FILES];
};

/* Read all files. A missing file is empty; one that cannot be read keeps what `previous` (may be
 * NULL) knew of it, and is reported with line number 0. So does the accounts file when it is gone,
 * and every other file that is gone with it. Lines that cannot be used are reported; what
 * `previous` knew of the name they begin with stays. Never fails; no account at all is fine. The
 * caller frees the result, and `previous` when it likes. */
struct directory *directory_load(const struct directory_config *config,
				 const struct directory *previous,
				 const struct file_report *report);
void directory_free(struct directory *d);

/* Names in any case. */
const struct account *directory_find_account(const struct directory *d, struct str login);
const struct account *directory_find_master(const struct directory *d, struct str name);

/* Mail for the domain is delivered here: as a domain of accounts or aliases, or of the machine. */
bool directory_is_managed(const struct directory *d, struct str domain);
bool directory_is_local(const struct directory *d, struct str domain);

/* Bytes the account may store; 0: no limit. */
uint64_t directory_quota(const struct directory *d, const struct account *account);

/* What the send access file says about an envelope sender; NULL: nothing. */
const struct access_rule *directory_check_sender(const struct directory *d, struct str sender);

/* The next hop of mail from an envelope sender to other servers; empty: nothing special. */
struct str directory_relay(const struct directory *d, struct str sender);

/* Who logs in to this next hop with mail from that sender? False: nobody. A sender's login is for
 * the relay of that sender only, and never shown to the servers of a recipient. The strings live as
 * long as the directory. */
bool directory_relay_login(const struct directory *d, struct str sender, struct str nexthop,
			   struct str *user, struct str *password);

/* May this login use this envelope sender? Its own address, and addresses whose alias names it
 * directly; neither extensions nor catch-alls. */
bool directory_owns(const struct directory *d, struct str login, struct str sender);
