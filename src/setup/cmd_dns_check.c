/* setup dns check: does the DNS say of this server what it has to? */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/tls_client.h"
#include "dns/dns_client.h"
#include "dns/idna.h"
#include "filter/public_suffix.h"
#include "filter/signing.h"
#include "setup/dkim_files.h"
#include "setup/dkim_tables.h"
#include "setup/dns_check.h"
#include "setup/dns_resolver.h"
#include "setup/door.h"
#include "setup/message.h"
#include "setup/server_settings.h"
#include "setup/setup_file.h"
#include "setup/signing_keys.h"

struct options {
	void (*print)(const struct list *reports);
	bool strict;
	struct str addresses[DNS_CHECK_ADDRESSES_MAX];
	size_t address_count;
	struct str *domains;
	size_t domain_count;
};

static dns_check_fn *const of_server[] = { dns_check_address, dns_check_ptr, dns_check_helo,
					   dns_check_dane, dns_check_caa };
static dns_check_fn *const of_domain[] = { dns_check_mx,     dns_check_spf, dns_check_dkim,
					   dns_check_dmarc,  dns_check_sts, dns_check_tls_rpt,
					   dns_check_clients };
#define CHECKS_MAX 8

static enum setup_exit add_address(struct setup *s, struct options *o, struct str text)
{
	unsigned char bytes[16];
	size_t n = inet_pton(AF_INET, text.p, bytes) == 1    ? 4
		   : inet_pton(AF_INET6, text.p, bytes) == 1 ? 16
							     : 0;

	if (!n)
		return message_fail(s, "'%s' is no address", text.p);
	if (o->address_count == DNS_CHECK_ADDRESSES_MAX)
		return message_fail(s, "'%s' is one address too many", text.p);
	o->addresses[o->address_count++] = arena_str(&s->arena, str_of(bytes, n));
	return SETUP_OK;
}

static enum setup_exit read_options(struct setup *s, struct options *o)
{
	*o = (struct options){ .print = dns_report_print_text };
	o->domains = ARENA_NEW_ARRAY(&s->arena, struct str, s->count + 1);
	for (unsigned i = 0; i < s->count; i++) {
		struct str arg = s->args[i];
		enum setup_exit r = SETUP_OK;
		if (str_eq(arg, STR("--json")))
			o->print = dns_report_print_json;
		else if (str_eq(arg, STR("--yaml")) || str_eq(arg, STR("--dnsendpoint")))
			o->print = dns_report_print_yaml;
		else if (str_eq(arg, STR("--strict")))
			o->strict = true;
		else if (str_eq(arg, STR("--address")) && i + 1 < s->count)
			r = add_address(s, o, s->args[++i]);
		else if (!str_starts(arg, STR("-")) && str_find_byte(arg, '.') > 0)
			o->domains[o->domain_count++] = arg;
		else
			r = message_fail_usage(s, "'%s' is not understood", arg.p);
		if (r != SETUP_OK)
			return r;
	}
	return SETUP_OK;
}

/* All that have accounts or aliases, where none is named. */
static int find_domains(struct setup *s, struct options *o, struct err *err)
{
	struct str list, rest;
	size_t room = 1;

	if (o->domain_count)
		return 0;
	int r = dkim_domains(s, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++)
		room += list.p[i] == ',';
	o->domains = ARENA_NEW_ARRAY(&s->arena, struct str, room);
	for (rest = list; rest.n; o->domain_count++)
		str_cut(rest, ',', &o->domains[o->domain_count], &rest);
	return 0;
}

/* Those of the options, or what the name of the server leads to. */
static void may_suspend find_addresses(struct dns_check *c, const struct options *o)
{
	struct dns_address_answer found = { .count = 0 };

	c->addresses_given = o->address_count > 0;
	c->address_count = o->address_count;
	memcpy(c->addresses, o->addresses, sizeof(c->addresses));
	if (c->addresses_given || dns_find_addresses(c->dns, c->host, false, c->a, &found) < 0)
		return;
	while (c->address_count < found.count && c->address_count < DNS_CHECK_ADDRESSES_MAX) {
		c->addresses[c->address_count] = found.addresses[c->address_count].bytes;
		c->address_count++;
	}
}

struct job {
	struct dns_check *check;
	dns_check_fn *fn;
	struct str domain;
	struct list findings;
};

static void run_job(void *arg)
{
	struct job *j = arg;

	j->fn(j->check, j->domain, &j->findings);
}

/* All checks of one domain at once; their findings in the order of the table. */
static void may_suspend run_checks(struct dns_check *c, dns_check_fn *const *checks, size_t n,
				   struct dns_report *report)
{
	struct job jobs[CHECKS_MAX];
	auto_group struct group g;

	check(n <= CHECKS_MAX);
	group_init(&g);
	for (size_t i = 0; i < n; i++) {
		jobs[i] = (struct job){ c, checks[i], report->subject, { 0 } };
		list_init(&jobs[i].findings);
		check(fiber_spawn(&g, "check", run_job, &jobs[i]) == 0);
	}
	(void)!group_join(&g, LOOP_FOREVER);
	for (size_t i = 0; i < n; i++)
		for (struct list *f = list_shift(&jobs[i].findings); f;
		     f = list_shift(&jobs[i].findings))
			list_append(&report->findings, f);
}

static void may_suspend add_report(struct dns_check *c, dns_check_fn *const *checks, size_t n,
				   struct str subject, struct list *reports)
{
	struct dns_report *r = ARENA_NEW(c->a, struct dns_report);

	dns_report_init(r, subject);
	run_checks(c, checks, n, r);
	list_append(reports, &r->link);
}

/* As the DNS has it: names of other scripts have another form there. */
static void may_suspend add_domain(struct setup *s, struct dns_check *c, struct str domain,
				   struct list *reports)
{
	struct str name;

	if (idna_to_ascii(domain, c->a, &name) < 0)
		message(s, MESSAGE_WARN, "'%" STR_FMT "' is no name for the DNS", STR_ARG(domain));
	else
		add_report(c, of_domain, ARRAY_LEN(of_domain), name, reports);
}

static enum setup_exit conclude(const struct options *o, const struct list *reports)
{
	struct dns_totals t;

	o->print(reports);
	dns_report_count(reports, &t);
	return t.v[DNS_IS_MISSING] || t.v[DNS_IS_WRONG] || t.v[DNS_IS_UNKNOWN] ||
			       (o->strict && t.v[DNS_IS_ADVISED])
		       ? SETUP_ERROR
		       : SETUP_OK;
}

static enum setup_exit check_all(struct setup *s, void *arg)
{
	const struct options *o = arg;
	struct dns_check *c = ARENA_NEW(&s->arena, struct dns_check);
	struct signing *signing;
	struct dns_resolver resolver;
	struct list reports;
	struct err err;

	c->set = server_settings(s);
	c->a = &s->arena;
	c->host = c->set->fqdn;
	c->config_dir = s->config_dir;
	if (setup_file_read(s, DKIM_ROTATION_FILE, &c->rotations, &err) < 0)
		return message_fail(s, "%s", err.text);
	public_suffix_load();
	if (dns_resolver_open(s, &resolver, &err) < 0)
		return message_fail(s, "%s", err.text);
	c->dns = resolver.client;
	c->lookup = lookup_resolver(c->dns);
	c->signing = signing = signing_keys_load(s);
	(void)!tls_roots_new(c->set->ca_file.p, &c->roots, &err);
	c->certificate_count =
		dns_certificates_load(c->set, c->a, c->certificates, &c->certificate_error);
	find_addresses(c, o);
	list_init(&reports);
	add_report(c, of_server, ARRAY_LEN(of_server), c->host, &reports);
	for (size_t i = 0; i < o->domain_count; i++)
		add_domain(s, c, o->domains[i], &reports);
	dns_resolver_close(&resolver);
	tls_roots_free(c->roots);
	signing_unref(signing);
	return conclude(o, &reports);
}

enum setup_exit cmd_dns_check(struct setup *s)
{
	struct options o;
	struct err err;

	enum setup_exit r = read_options(s, &o);
	if (r != SETUP_OK)
		return r;
	if (find_domains(s, &o, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (!o.domain_count)
		message(s, MESSAGE_WARN,
			"There are no accounts or aliases, and no domain is named");
	return door_run(s, check_all, &o);
}
