/* A next hop as Postfix writes it: "example.org", "[host]", "host:port", "[host]:port", with
 * "smtp:" or "lmtp:" before it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

#define NEXTHOP_HOST_MAX 255

struct nexthop {
	bool lmtp;
	bool mx;			 /* ask for the MX of the host, which is a domain then */
	bool literal;			 /* the host is an address */
	bool local;			 /* the host is the path of a socket of this machine */
	uint16_t port;			 /* 0: the protocol's */
	char host[NEXTHOP_HOST_MAX + 1]; /* lower case, with A-labels */
	struct str text; /* without "smtp:" or "lmtp:"; a slice of what was parsed */
};

/* 0, or -EINVAL with the reason; -EILSEQ when it is the name that no host can have. */
struct err;
int must_check nexthop_parse(struct str text, struct nexthop *out, struct err *err);
