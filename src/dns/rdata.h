/* What is in a record: the RDATA of an answer of the resolver, as a struct. Strings live in `a`, or
 * where it is said in the RDATA. All parsers return 0, or -EBADMSG for what is cut or too long. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

/* RFC 1035 3.3.9. An empty host is the root: with preference 0 and alone it is the null MX of RFC
 * 7505. */
struct dns_mx {
	uint16_t preference;
	struct str host;
};
int must_check dns_mx_parse(struct str rdata, struct arena *a, struct dns_mx *out);

/* RFC 2782; an empty target says that the service is not there. */
struct dns_srv {
	uint16_t priority, weight, port;
	struct str target;
};
int must_check dns_srv_parse(struct str rdata, struct arena *a, struct dns_srv *out);

/* RFC 6698 2.1; `data` points into the RDATA. */
struct dns_tlsa {
	uint8_t usage, selector, matching;
	struct str data;
};
int must_check dns_tlsa_parse(struct str rdata, struct dns_tlsa *out);

/* RFC 8659 4.1; the strings point into the RDATA. */
struct dns_caa {
	uint8_t flags;
	struct str tag, value;
};
int must_check dns_caa_parse(struct str rdata, struct dns_caa *out);

/* The strings of one TXT record without anything between them, as SPF (RFC 7208 3.3) and DKIM read
 * them. */
int must_check dns_txt_parse(struct str rdata, struct arena *a, struct str *out);

/* The name of PTR and CNAME. */
int must_check dns_target_parse(struct str rdata, struct arena *a, struct str *out);
