/* Is the public part of each key that signs where others look for it? */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "dns/dns_client.h"
#include "filter/signing.h"
#include "setup/dkim_tables.h"
#include "setup/dns_check.h"

#define KEYS_MAX   32 /* of one domain */
#define RECORD_MAX 16384

/* The record of a key. */
static struct str record_of(struct dns_check *c, const struct signing_key *key)
{
	struct buf b;

	buf_init(&b, c->a, RECORD_MAX);
	buf_puts(&b, "v=DKIM1; h=sha256; ");
	dkim_private_key_write_record(&key->key, &b);
	return buf_str(&b);
}

/* Does the record hold this key? Otherwise *why says why not. */
static bool fits(const struct signing_key *key, struct str record, bool *testing, const char **why)
{
	struct dkim_public_key published;
	int r = dkim_public_key_parse(record, &published, why);
	bool ok = r == 0 && dkim_private_key_fits(&key->key, &published);

	if (r == 0 && !ok)
		*why = "it is another key than that which signs";
	*testing = ok && published.testing;
	dkim_public_key_done(&published);
	return ok;
}

/* `next`: it does not sign yet. */
static void may_suspend check_key(struct dns_check *c, struct str domain,
				  const struct signing_key *key, bool next, struct list *findings)
{
	struct str at = key->any_domain ? domain : key->domain;
	struct str name = arena_printf(c->a, "%" STR_FMT "._domainkey.%" STR_FMT,
				       STR_ARG(key->selector), STR_ARG(at));
	struct dns_text_answer found;
	const char *why = "there is no such record";
	bool right = false, testing = false;

	if (dns_find_txt(c->dns, name, c->a, &found) < 0 ||
	    dns_check_failed(c, findings, "dkim", name, &found.answer))
		return;
	for (size_t i = 0; i < found.count && !right; i++)
		right = fits(key, found.text[i], &testing, &why);
	struct dns_finding *f = dns_finding_add(findings, c->a, "dkim",
						next			    ? DNS_IS_ADVISED
						: right && found.count == 1 ? DNS_IS_RIGHT
						: found.count		    ? DNS_IS_WRONG
									    : DNS_IS_MISSING);
	dns_finding_say(f, c->a, "%" STR_FMT ": %s", STR_ARG(name),
			!right ? why
			: next ? "the next key is there, `setup config dkim rotate` lets it sign"
			       : "the key that signs");
	if (next && !right)
		dns_finding_say(f, c->a, "the next key waits for this record");
	if (testing)
		dns_finding_say(f, c->a, "t=y: some take it for a test that does not count");
	if (found.count > 1)
		dns_finding_say(f, c->a, "there are %zu records and must be one", found.count);
	if (!right)
		dns_finding_want(f, c->a, name, "TXT", record_of(c, key));
}

static bool is_about(const struct signing_rule *rule, struct str domain)
{
	ssize_t at = str_rfind_byte(rule->pattern, '@');

	return !rule->is_domain && at >= 0 &&
	       str_eq_nocase(str_skip(rule->pattern, (size_t)at + 1), domain);
}

static void add_key(const struct signing_key **keys, size_t *n, const struct signing_key *key)
{
	for (size_t i = 0; i < *n; i++)
		if (keys[i] == key)
			return;
	if (*n < KEYS_MAX)
		keys[(*n)++] = key;
}

/* Those of anybody in the domain, and those of single authors. */
static size_t find_keys(struct dns_check *c, struct str domain, const struct signing_key **keys)
{
	const struct signing_key *common[SIGNING_KEYS_PER_MESSAGE];
	size_t n = 0;

	size_t found = signing_find(
		c->signing, arena_printf(c->a, "postmaster@%" STR_FMT, STR_ARG(domain)), common);
	for (size_t i = 0; i < found; i++)
		add_key(keys, &n, common[i]);
	for (size_t i = 0; i < c->signing->rule_count; i++)
		if (is_about(&c->signing->rules[i], domain))
			add_key(keys, &n, c->signing->rules[i].key);
	return n;
}

/* The key that is to follow this one, when a change has begun. */
static void may_suspend check_next(struct dns_check *c, struct str domain,
				   const struct signing_key *key, struct list *findings)
{
	bool ed25519 = key->key.algorithm == DKIM_ED25519_SHA256;
	struct signing_key next = { .any_domain = key->any_domain, .domain = key->domain };
	struct dkim_rotation state;
	struct str text;

	if (!dkim_rotation_find(c->rotations, domain, ed25519 ? STR("ed25519") : STR("rsa"),
				&state) ||
	    state.signing || str_eq(state.selector, key->selector))
		return;
	next.selector = state.selector;
	struct str path = arena_printf(c->a, "%" STR_FMT "/%" STR_FMT, STR_ARG(c->config_dir),
				       STR_ARG(state.path));
	if (fd_read_file(path.p, c->a, RECORD_MAX, &text, NULL) < 0 ||
	    dkim_private_key_parse(text, &next.key, NULL) < 0)
		return;
	check_key(c, domain, &next, true, findings);
	dkim_private_key_done(&next.key);
}

void dns_check_dkim(struct dns_check *c, struct str domain, struct list *findings)
{
	const struct signing_key *keys[KEYS_MAX];
	size_t n = find_keys(c, domain, keys);

	for (size_t i = 0; i < n; i++) {
		check_key(c, domain, keys[i], false, findings);
		check_next(c, domain, keys[i], findings);
	}
	if (!n)
		dns_finding_say(
			dns_finding_add(findings, c->a, "dkim", DNS_IS_MISSING), c->a,
			"no key signs mail of the domain; `setup config dkim domain %" STR_FMT
			"` makes one",
			STR_ARG(domain));
}
