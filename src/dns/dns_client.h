/* The resolver as its callers see it: one function for each kind of question.
 *
 * There is always an answer; a resolver that is not there, or does not answer in time, is a
 * DNS_TEMPFAIL like any other. So each function returns 0, or -ECANCELED when the fiber is to end.
 * Everything in *out lives in `a`. Lists are as the server gave them, in no order that means
 * anything, and empty unless the status is DNS_FOUND. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "dns/dns.h"
#include "dns/dns_ipc.h"
#include "dns/rdata.h"

struct arena;
struct ipc_client;

struct dns_answer {
	enum dns_status status;
	bool secure;	   /* DNSSEC proves it, also that there is nothing */
	struct str name;   /* the canonical name: where aliases led */
	uint32_t ttl;	   /* seconds */
	struct str reason; /* of DNS_TEMPFAIL and DNS_BOGUS, for the log */
};

struct dns_mx_answer {
	struct dns_answer answer;
	struct dns_mx *mx;
	size_t count;
};
int may_suspend must_check dns_find_mx(struct ipc_client *dns, struct str name, struct arena *a,
				       struct dns_mx_answer *out);

struct dns_srv_answer {
	struct dns_answer answer;
	struct dns_srv *srv;
	size_t count;
};
int may_suspend must_check dns_find_srv(struct ipc_client *dns, struct str name, struct arena *a,
					struct dns_srv_answer *out);

struct dns_tlsa_answer {
	struct dns_answer answer;
	struct dns_tlsa *tlsa;
	size_t count;
};
int may_suspend must_check dns_find_tlsa(struct ipc_client *dns, struct str name, struct arena *a,
					 struct dns_tlsa_answer *out);

struct dns_caa_answer {
	struct dns_answer answer;
	struct dns_caa *caa;
	size_t count;
};
int may_suspend must_check dns_find_caa(struct ipc_client *dns, struct str name, struct arena *a,
					struct dns_caa_answer *out);

struct dns_text_answer {
	struct dns_answer answer;
	struct str *text;
	size_t count;
};
/* One text for each TXT record, its strings joined. */
int may_suspend must_check dns_find_txt(struct ipc_client *dns, struct str name, struct arena *a,
					struct dns_text_answer *out);

/* The names that the PTR records of an address give it: 4 bytes, or 16. */
int may_suspend must_check dns_find_ptr(struct ipc_client *dns, struct str address, struct arena *a,
					struct dns_text_answer *out);

struct dns_address_answer {
	struct dns_answer answer;
	struct dns_address *addresses;
	size_t count;
};
/* `local`: /etc/hosts and search domains count, for names that an operator wrote. */
int may_suspend must_check dns_find_addresses(struct ipc_client *dns, struct str name, bool local,
					      struct arena *a, struct dns_address_answer *out);

/* "4.3.2.1.in-addr.arpa" for 4 bytes, the nibbles under ip6.arpa for 16 (RFC 3596 2.5); other
 * lengths are a bug of the caller. Lives in `a`. */
struct str dns_reverse_name(struct str address, struct arena *a);
