/* What an answer of the resolver means. */
#pragma once

enum dns_status {
	DNS_FOUND,
	DNS_NODATA,   /* the name exists, nothing of this type does */
	DNS_NXDOMAIN, /* RFC 8020: nor does anything below it */
	DNS_TEMPFAIL, /* timeout, SERVFAIL, no network: ask again later */
	DNS_BOGUS,    /* DNSSEC says that somebody lies: a temporary failure, never an answer */
};

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52,
	DNS_CAA = 257,
};
