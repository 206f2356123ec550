/* What the DNS calls a client, and whether that leads back to it: "iprev", RFC 8601 3. front asks
 * when the client comes, `explain` for a message that is here already. */
#pragma once

#include "base/str.h"
#include "filter/filter.h"
#include "filter/lookup.h"

/* 4 or 16 bytes of an address, in `a`; none for what is no address. */
struct str iprev_address(struct str text, struct arena *a);

struct iprev {
	enum filter_iprev result; /* FILTER_IPREV_NONE: there is no address to ask about */
	struct str name;	  /* that leads back, ASCII; or the last that does not; in `a` */
};

/* `address` is what iprev_address returned. 0 or -ECANCELED; what cannot be found out is an
 * answer. */
int may_suspend must_check iprev_find(const struct lookup *dns, struct str address, struct arena *a,
				      struct iprev *out);
