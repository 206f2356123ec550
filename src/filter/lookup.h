/* How the checks ask the DNS: the resolver in the server, a table in tests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "dns/dns.h"

struct arena;
struct ipc_client;

struct lookup_answer {
	enum dns_status status; /* DNS_BOGUS never: it is a DNS_TEMPFAIL here */
	struct str *v;		/* of DNS_FOUND; else empty */
	size_t n;
	bool secure; /* DNSSEC proves it */
};

struct lookup {
	/* A and AAAA: addresses of 4 and 16 bytes; MX: hosts; PTR (`name` is an address): names;
	 * TXT: texts. Lives in `a`. 0 or -ECANCELED: what cannot be found out is an answer. */
	int (*find)(void *ctx, enum dns_type type, struct str name, struct arena *a,
		    struct lookup_answer *out);
	void *ctx;
};

/* Ask the resolver. */
struct lookup lookup_resolver(struct ipc_client *dns);

static inline int may_suspend must_check lookup_find(const struct lookup *l, enum dns_type type,
						     struct str name, struct arena *a,
						     struct lookup_answer *out)
{
	return l->find(l->ctx, type, name, a, out);
}
