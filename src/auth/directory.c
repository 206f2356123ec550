#include "auth/directory.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/address.h"
#include "auth/directory_part.h"
#include "auth/file_lines.h"

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
	d->relay_host = arena_str(&d->arena, c->relay_host);
	d->default_relay = arena_str(&d->arena, c->default_relay);
	d->relay_user = arena_str(&d->arena, c->relay_user);
	d->relay_password = arena_str(&d->arena, c->relay_password);
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

	directory_parts_load(config->dir, previous ? previous->parts : NULL, report, d->parts);
	d->accounts = &d->parts[PART_ACCOUNTS]->table.accounts;
	d->masters = &d->parts[PART_MASTERS]->table.accounts;
	d->virtual = &d->parts[PART_VIRTUAL]->table.aliases;
	d->local = &d->parts[PART_LOCAL]->table.aliases;
	d->regexp = &d->parts[PART_REGEXP]->table.regexp;
	d->quotas = &d->parts[PART_QUOTAS]->table.quotas;
	d->send = &d->parts[PART_SEND]->table.access;
	d->receive = &d->parts[PART_RECEIVE]->table.access;
	d->relays = &d->parts[PART_RELAYS]->table.relays;
	d->relay_logins = &d->parts[PART_RELAY_LOGINS]->table.relay_logins;
	d->incomplete = d->parts[PART_ACCOUNTS]->unread || d->parts[PART_VIRTUAL]->unread ||
			d->parts[PART_REGEXP]->unread;
	take_config(d, config);
	collect_domains(d);
	return d;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < DIRECTORY_FILES; i++)
		directory_part_unref(d->parts[i]);
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

/* Dovecot 2.3: "*:storage=5G:messages=1000". Without a unit storage counts KiB. */
static bool quota_from_rule(struct str rule, uint64_t *bytes)
{
	struct str limit, name, value;

	str_cut(rule, ':', &name, &rule);
	if (!str_eq(name, STR("*")))
		return false;
	while (rule.n) {
		str_cut(rule, ':', &limit, &rule);
		str_cut(limit, '=', &name, &value);
		bool storage = str_eq(name, STR("storage"));
		if (!storage && !str_eq(name, STR("bytes")))
			continue;
		if (quota_size_parse(value, bytes) < 0)
			return false;
		if (storage && ascii_is_digit((unsigned char)value.p[value.n - 1]))
			return !__builtin_mul_overflow(*bytes, 1024, bytes);
		return true;
	}
	return false;
}

/* The third column as docker-mailserver documents it for Dovecot 2.4, and for 2.3. */
static bool quota_from_extra(const struct account *account, uint64_t *bytes)
{
	struct str value;

	if (account_extra_get(account, STR("userdb_quota_storage_size"), &value))
		return quota_size_parse(value, bytes) == 0;
	return account_extra_get(account, STR("userdb_quota_rule"), &value) &&
	       quota_from_rule(value, bytes);
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

struct str directory_relay(const struct directory *d, struct str sender)
{
	auto_arena struct arena a = ARENA_INIT;

	if (sender.n == 0 || sender.n > ADDRESS_MAX)
		return STR_NONE;
	struct address addr = address_split(address_fold(&a, sender));
	const struct relay *r = relays_find(d->relays, addr.whole, d->delimiter);
	if (r)
		return r->nexthop;
	return directory_is_managed(d, addr.domain) ? d->relay_host : STR_NONE;
}

/* RELAY_USER is for the one relay that the environment names. */
static bool is_relay_of_environment(const struct directory *d, struct str nexthop)
{
	return str_eq(nexthop, d->default_relay.n ? d->default_relay : d->relay_host);
}

bool directory_relay_login(const struct directory *d, struct str sender, struct str nexthop,
			   struct str *user, struct str *password)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct relay_login *l = NULL;

	if (!nexthop.n)
		return false;
	if (sender.n <= ADDRESS_MAX &&
	    (str_eq(nexthop, directory_relay(d, sender)) || str_eq(nexthop, d->default_relay)))
		l = relay_logins_of_sender(d->relay_logins, address_fold(&a, sender));
	if (!l)
		l = relay_logins_of_nexthop(d->relay_logins, nexthop);
	if (!l && (!d->relay_user.n || !is_relay_of_environment(d, nexthop)))
		return false;
	*user = l ? l->user : d->relay_user;
	*password = l ? l->password : d->relay_password;
	return true;
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
