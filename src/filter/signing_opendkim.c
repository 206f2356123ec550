/* opendkim/KeyTable, opendkim/SigningTable and opendkim/TrustedHosts (opendkim.conf(5)):
 *
 *	KeyTable	NAME DOMAIN:SELECTOR:PATH	DOMAIN may be %: the author's
 *	SigningTable	PATTERN NAME			as "refile": '*' in addresses
 *	TrustedHosts	HOST	an address, a network, a name, .DOMAIN; or !HOST */
#include "core/networks.h"
#include "filter/signing.h"

#define BASE	      "opendkim"
#define KEY_TABLE     BASE "/KeyTable"
#define SIGNING_TABLE BASE "/SigningTable"
#define TRUSTED_HOSTS BASE "/TrustedHosts"

/* The next line that says something, as two words. */
static bool next_pair(struct signing_build *b, struct str *rest, struct str *first,
		      struct str *second)
{
	struct str line;

	while (str_next_line(rest, &line)) {
		b->line++;
		line = str_trim(line);
		if (!line.n || line.p[0] == '#')
			continue;
		str_next_word(&line, first);
		*second = str_trim(line);
		if (second->n)
			return true;
		signing_problem(b, "two words are expected");
	}
	return false;
}

static void read_keys(struct signing_build *b)
{
	struct str rest = signing_read(b, KEY_TABLE), name, value;

	while (next_pair(b, &rest, &name, &value)) {
		struct str domain, selector, path;
		if (!str_cut(value, ':', &domain, &path) || !str_cut(path, ':', &selector, &path) ||
		    !domain.n || !selector.n || !path.n) {
			signing_problem(b, "domain:selector:path is expected");
			continue;
		}
		struct signing_key *key = signing_add_key(b, path, BASE);
		if (!key)
			continue;
		key->name = name;
		key->domain = domain;
		key->selector = selector;
		key->any_domain = str_eq(domain, STR("%"));
	}
}

static const struct signing_key *find(const struct signing *s, struct str name)
{
	for (size_t i = 0; i < s->key_count; i++)
		if (str_eq_nocase(s->keys[i]->name, name))
			return s->keys[i];
	return NULL;
}

static bool is_host(struct str entry, struct str address, struct str name)
{
	if (networks_hold(entry, address))
		return true;
	return name.n && (str_starts(entry, STR(".")) ? str_ends_nocase(name, entry)
						      : str_eq_nocase(name, entry));
}

/* An exception counts wherever it stands. */
bool signing_trusts(const struct signing *s, struct str address, struct str name)
{
	bool trusted = false;

	STR_FOREACH_LINE (s->trusted_hosts, line) {
		struct str entry = str_trim(line);
		bool except = str_starts(entry, STR("!"));
		if (except)
			entry = str_trim(str_skip(entry, 1));
		if (!entry.n || entry.p[0] == '#' || !is_host(entry, address, name))
			continue;
		if (except)
			return false;
		trusted = true;
	}
	return trusted;
}

void signing_load_opendkim(struct signing_build *b)
{
	struct str rest, pattern, name;

	read_keys(b);
	rest = signing_read(b, SIGNING_TABLE);
	while (next_pair(b, &rest, &pattern, &name)) {
		const struct signing_key *key = find(b->signing, name);
		bool is_domain = str_find_byte(pattern, '@') < 0 && pattern.p[0] != '*';
		if (key)
			signing_add_rule(b, pattern, is_domain, key);
		else
			signing_problem(b, "there is no key %" STR_FMT, STR_ARG(name));
	}
	b->signing->trusted_hosts = signing_read(b, TRUSTED_HOSTS);
}
