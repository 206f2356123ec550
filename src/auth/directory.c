#include "auth/directory.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/address.h"
#include "auth/file_lines.h"
#include "base/err.h"
#include "base/fd.h"

enum part_index {
	PART_ACCOUNTS,
	PART_MASTERS,
	PART_VIRTUAL,
	PART_REGEXP,
	PART_LOCAL,
	PART_QUOTAS,
	PART_SEND,
	PART_RECEIVE,
};

union part_table {
	struct accounts accounts;
	struct aliases aliases;
	struct regexp_aliases regexp;
	struct quotas quotas;
	struct access_table access;
};

/* One file's contents, shared by all snapshots since it was last read. */
struct directory_part {
	unsigned refs;
	const struct part_type *type;
	struct arena arena; /* the file's text and the entries */
	union part_table table;
};

struct part_type {
	const char *file;
	void (*parse)(struct directory_part *p, struct str text, const struct file_report *report);
	void (*done)(struct directory_part *p);
};

static void parse_accounts(struct directory_part *p, struct str text,
			   const struct file_report *report)
{
	accounts_parse(&p->table.accounts, &p->arena, text, report);
}

static void parse_masters(struct directory_part *p, struct str text,
			  const struct file_report *report)
{
	accounts_parse_masters(&p->table.accounts, &p->arena, text, report);
}

static void done_accounts(struct directory_part *p)
{
	accounts_done(&p->table.accounts);
}

static void parse_virtual(struct directory_part *p, struct str text,
			  const struct file_report *report)
{
	aliases_parse_virtual(&p->table.aliases, &p->arena, text, report);
}

static void parse_local(struct directory_part *p, struct str text, const struct file_report *report)
{
	aliases_parse_local(&p->table.aliases, &p->arena, text, report);
}

static void done_aliases(struct directory_part *p)
{
	aliases_done(&p->table.aliases);
}

static void parse_regexp(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	regexp_aliases_parse(&p->table.regexp, &p->arena, text, report);
}

static void done_regexp(struct directory_part *p)
{
	regexp_aliases_done(&p->table.regexp);
}

static void parse_quotas(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	quotas_parse(&p->table.quotas, &p->arena, text, report);
}

static void done_quotas(struct directory_part *p)
{
	quotas_done(&p->table.quotas);
}

static void parse_access(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	access_parse(&p->table.access, &p->arena, text, report);
}

static void done_access(struct directory_part *p)
{
	access_done(&p->table.access);
}

static const struct part_type part_types[DIRECTORY_FILES] = {
	[PART_ACCOUNTS] = { "postfix-accounts.cf", parse_accounts, done_accounts },
	[PART_MASTERS] = { "dovecot-masters.cf", parse_masters, done_accounts },
	[PART_VIRTUAL] = { "postfix-virtual.cf", parse_virtual, done_aliases },
	[PART_REGEXP] = { "postfix-regexp.cf", parse_regexp, done_regexp },
	[PART_LOCAL] = { "postfix-aliases.cf", parse_local, done_aliases },
	[PART_QUOTAS] = { "dovecot-quotas.cf", parse_quotas, done_quotas },
	[PART_SEND] = { "postfix-send-access.cf", parse_access, done_access },
	[PART_RECEIVE] = { "postfix-receive-access.cf", parse_access, done_access },
};

static void part_unref(struct directory_part *p)
{
	if (!p || --p->refs)
		return;
	p->type->done(p);
	arena_done(&p->arena);
	free(p);
}

static struct directory_part *part_new(const struct part_type *type)
{
	struct directory_part *p = calloc(1, sizeof(*p));
	if (!p)
		check_no_memory();
	p->refs = 1;
	p->type = type;
	return p;
}

/* The file's contents now; those that `previous` holds when it cannot be read. */
static struct directory_part *part_load(const struct part_type *type, const char *dir,
					struct directory_part *previous,
					const struct file_report *report)
{
	struct directory_part *p = part_new(type);
	struct file_report named = { report ? report->line : NULL, report ? report->ctx : NULL,
				     type->file };
	struct str text, path = arena_printf(&p->arena, "%s/%s", dir, type->file);
	struct err err;

	int r = fd_read_file(path.p, &p->arena, DIRECTORY_FILE_MAX, &text, &err);
	if (r == -ENOENT || r == -ENOTDIR)
		text = STR("");
	else if (r < 0) {
		file_report_line(&named, 0, "%s: %s", err.text,
				 previous ? "what was read before stays in force"
					  : "taken as empty");
		text = STR("");
		if (previous) {
			arena_done(&p->arena);
			free(p);
			previous->refs++;
			return previous;
		}
	}
	type->parse(p, text, &named);
	return p;
}

static void manage_domain(struct directory *d, struct str domain)
{
	if (domain.n && !map_get(&d->managed, domain))
		map_put(&d->managed, domain, d);
}

/* A domain in a key of the alias file is ours too: other users there are unknown, not relayed. */
static void collect_domains(struct directory *d)
{
	map_init(&d->managed);
	for (const struct account *a = d->accounts->first; a; a = a->next)
		manage_domain(d, a->domain);
	for (const struct alias *a = d->virtual->first; a; a = a->next)
		manage_domain(d, address_split(a->key).domain);
}

static void take_config(struct directory *d, const struct directory_config *c)
{
	d->fqdn = address_fold(&d->arena, c->fqdn);
	d->postmaster = c->postmaster.n ? arena_str(&d->arena, c->postmaster)
					: arena_printf(&d->arena, "postmaster@%" STR_FMT,
						       STR_ARG(c->domain));
	d->delimiter = c->delimiter;
	d->quotas_enabled = c->quotas;
	d->default_quota = c->default_quota;
	d->local_names[0] = d->fqdn;
	d->local_names[1] = STR("localhost");
	d->local_names[2] = arena_printf(&d->arena, "localhost.%" STR_FMT,
					 STR_ARG(address_fold(&d->arena, c->domain)));
}

struct directory *directory_load(const struct directory_config *config,
				 const struct directory *previous, const struct file_report *report)
{
	struct directory *d = calloc(1, sizeof(*d));
	if (!d)
		check_no_memory();

	for (size_t i = 0; i < DIRECTORY_FILES; i++)
		d->parts[i] = part_load(&part_types[i], config->dir,
					previous ? previous->parts[i] : NULL, report);
	d->accounts = &d->parts[PART_ACCOUNTS]->table.accounts;
	d->masters = &d->parts[PART_MASTERS]->table.accounts;
	d->virtual = &d->parts[PART_VIRTUAL]->table.aliases;
	d->local = &d->parts[PART_LOCAL]->table.aliases;
	d->regexp = &d->parts[PART_REGEXP]->table.regexp;
	d->quotas = &d->parts[PART_QUOTAS]->table.quotas;
	d->send = &d->parts[PART_SEND]->table.access;
	d->receive = &d->parts[PART_RECEIVE]->table.access;
	take_config(d, config);
	collect_domains(d);
	return d;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < DIRECTORY_FILES; i++)
		part_unref(d->parts[i]);
	map_done(&d->managed);
	arena_done(&d->arena);
	free(d);
}

static const struct account *find_folded(const struct accounts *t, struct str name)
{
	auto_arena struct arena a = ARENA_INIT;
	return name.n <= ADDRESS_MAX ? accounts_find(t, address_fold(&a, name)) : NULL;
}

const struct account *directory_find_account(const struct directory *d, struct str login)
{
	return find_folded(d->accounts, login);
}

const struct account *directory_find_master(const struct directory *d, struct str name)
{
	return find_folded(d->masters, name);
}

bool directory_is_managed(const struct directory *d, struct str domain)
{
	auto_arena struct arena a = ARENA_INIT;
	return domain.n <= ADDRESS_MAX && map_get(&d->managed, address_fold(&a, domain));
}

bool directory_is_local(const struct directory *d, struct str domain)
{
	for (size_t i = 0; i < ARRAY_LEN(d->local_names); i++)
		if (str_eq_nocase(d->local_names[i], domain))
			return true;
	return false;
}

/* The third column as DMS documents it for Dovecot 2.4, and for 2.3 ("*:bytes=5G"). */
static bool quota_from_extra(const struct account *account, uint64_t *bytes)
{
	struct str value, number;

	if (account_extra_get(account, STR("userdb_quota_storage_size"), &value))
		return quota_size_parse(value, bytes) == 0;
	if (!account_extra_get(account, STR("userdb_quota_rule"), &value) ||
	    !str_cut(value, ':', &value, &number))
		return false;
	if (str_starts(number, STR("bytes=")) || str_starts(number, STR("storage=")))
		str_cut(number, '=', &value, &number);
	return quota_size_parse(number, bytes) == 0;
}

uint64_t directory_quota(const struct directory *d, const struct account *account)
{
	uint64_t bytes;
	if (!d->quotas_enabled)
		return 0;
	if (quotas_find(d->quotas, account->login, &bytes) || quota_from_extra(account, &bytes))
		return bytes;
	return d->default_quota;
}

const struct access_rule *directory_check_sender(const struct directory *d, struct str sender)
{
	return access_find(d->send, sender, d->delimiter);
}

static bool names_login(const struct alias *alias, struct str login)
{
	for (size_t i = 0; alias && i < alias->count; i++)
		if (str_eq_nocase(alias->targets[i], login))
			return true;
	return false;
}

bool directory_owns(const struct directory *d, struct str login, struct str sender)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str result, target;

	if (sender.n > ADDRESS_MAX)
		return false;
	if (str_eq_nocase(login, sender))
		return true;
	struct address addr = address_split(address_fold(&a, address_unquote(&a, sender)));
	if (names_login(aliases_find(d->virtual, addr.whole), login))
		return true;
	if (directory_is_local(d, addr.domain) &&
	    names_login(aliases_find(d->local, addr.local), login))
		return true;
	if (regexp_aliases_find(d->regexp, sender, &a, &result, NULL) != 1)
		return false;
	while (alias_target_next(&result, &target))
		if (str_eq_nocase(target, login))
			return true;
	return false;
}
