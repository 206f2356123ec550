#include "filter/public_suffix.h"

#include <libpsl.h>
#include <string.h>

#define DOMAIN_MAX 255

static psl_ctx_t *latest;

void public_suffix_load(void)
{
	if (!latest)
		latest = psl_latest(NULL);
}

static const psl_ctx_t *list(void)
{
	return latest ? latest : psl_builtin();
}

/* libpsl wants lower case. */
static bool read_domain(struct str domain, char out[DOMAIN_MAX + 1])
{
	if (!domain.n || domain.n > DOMAIN_MAX || memchr(domain.p, '\0', domain.n))
		return false;
	memcpy(out, domain.p, domain.n);
	out[domain.n] = '\0';
	str_lower_bytes(out, domain.n);
	return true;
}

bool public_suffix_is(struct str domain)
{
	char name[DOMAIN_MAX + 1];

	return list() && read_domain(domain, name) && psl_is_public_suffix(list(), name);
}

/* NULL for what is a suffix itself, or nothing. */
static const char *owner(struct str domain, char name[DOMAIN_MAX + 1])
{
	return list() && read_domain(domain, name) ? psl_registrable_domain(list(), name) : NULL;
}

bool public_suffix_is_one_owner(struct str a, struct str b)
{
	char a_name[DOMAIN_MAX + 1], b_name[DOMAIN_MAX + 1];
	const char *a_owner = owner(a, a_name), *b_owner = owner(b, b_name);

	return a_owner && b_owner && strcmp(a_owner, b_owner) == 0;
}
