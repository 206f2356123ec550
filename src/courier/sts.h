/* MTA-STS: policies of domains, fetched when their TXT record says so, kept as long as they say
 * (RFC 8461), in memory and in a file of the state volume. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "courier/sts_policy.h"

struct courier;
struct sts;

/* Read what was kept in `dir`, which is there; NULL: nothing is kept over a restart. */
struct sts *sts_new(const char *dir);
void sts_free(struct sts *s);

/* The policy of a domain, or one with TLS_STS_NONE. Lives in `a`. */
void may_suspend sts_find(struct courier *c, struct str domain, struct arena *a,
			  struct sts_policy *out);
