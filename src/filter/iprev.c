#include "filter/iprev.h"

#include <arpa/inet.h>

#include "base/arena.h"

/* Names of one address that are followed. */
#define NAMES_MAX 4

struct str iprev_address(struct str text, struct arena *a)
{
	const char *p = arena_cstr(a, text);
	unsigned char bytes[16];

	if (inet_pton(AF_INET, p, bytes) == 1)
		return arena_str(a, str_of(bytes, 4));
	if (inet_pton(AF_INET6, p, bytes) == 1)
		return arena_str(a, str_of(bytes, 16));
	return STR_NONE;
}

/* A host's name, for the log and the header: nothing else, and no address that poses as one. */
static bool is_host_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	return str_find_byte(name, '.') > 0 && str_find(name, STR("..")) < 0 &&
	       !ascii_is_digit((unsigned char)name.p[name.n - 1]);
}

static int may_suspend check_name(const struct lookup *dns, struct str name, struct str address,
				  struct arena *a, enum filter_iprev *out)
{
	struct lookup_answer back = { .status = DNS_TEMPFAIL };
	int r = lookup_find(dns, address.n == 4 ? DNS_A : DNS_AAAA, name, a, &back);

	*out = back.status == DNS_TEMPFAIL ? FILTER_IPREV_TEMPERROR : FILTER_IPREV_FAIL;
	for (size_t i = 0; r == 0 && i < back.n; i++)
		if (str_eq(back.v[i], address))
			*out = FILTER_IPREV_PASS;
	return r;
}

/* The best of what its names come to. */
static int may_suspend check_names(const struct lookup *dns, const struct lookup_answer *names,
				   struct str address, struct arena *a, struct iprev *out)
{
	bool undecided = false;

	for (size_t i = 0; i < names->n && i < NAMES_MAX; i++) {
		enum filter_iprev result = FILTER_IPREV_FAIL;
		int r = is_host_name(names->v[i])
				? check_name(dns, names->v[i], address, a, &result)
				: 0;
		if (r < 0)
			return r;
		out->name = names->v[i];
		undecided |= result == FILTER_IPREV_TEMPERROR;
		if (result == FILTER_IPREV_PASS) {
			out->result = result;
			return 0;
		}
	}
	out->result = !names->n	  ? FILTER_IPREV_PERMERROR
		      : undecided ? FILTER_IPREV_TEMPERROR
				  : FILTER_IPREV_FAIL;
	return 0;
}

int iprev_find(const struct lookup *dns, struct str address, struct arena *a, struct iprev *out)
{
	struct lookup_answer names = { .status = DNS_TEMPFAIL };

	*out = (struct iprev){ .result = FILTER_IPREV_NONE };
	if (!address.n)
		return 0;
	out->result = FILTER_IPREV_TEMPERROR;
	int r = lookup_find(dns, DNS_PTR, address, a, &names);
	if (r < 0 || names.status == DNS_TEMPFAIL)
		return r;
	return check_names(dns, &names, address, a, out);
}
