/* How much TLS a session with a host needs: a pure decision. */
#pragma once

#include <stdbool.h>

/* What the DNS says about the TLSA records of a host (RFC 7672 2.2). */
enum tls_dane_state {
	TLS_DANE_NONE,	   /* there are none, or nobody could prove it */
	TLS_DANE_UNUSABLE, /* there are some, and none that can be used */
	TLS_DANE_USABLE,
	TLS_DANE_FAILED, /* they should be there, or provably not, and cannot be had */
};

enum tls_sts_mode {
	TLS_STS_NONE,
	TLS_STS_TESTING,
	TLS_STS_ENFORCE,
};

struct tls_facts {
	enum tls_dane_state dane;
	enum tls_sts_mode sts; /* of the domain, RFC 8461 */
	bool sts_match;	       /* the policy names this host */
	bool mx, mx_secure;    /* the host comes from MX records; DNSSEC proves which */
	bool requiretls;       /* the message asks for it, RFC 8689 */
	bool credentials;      /* a password will be sent */
	bool verify_relay;     /* ...and only to who can prove who he is */
	bool required;	       /* the operator wants TLS everywhere */
	bool remembered;       /* it had TLS before */
	bool refuse_downgrade; /* ...and must have it again */
};

enum tls_need {
	TLS_NEED_NOTHING,    /* use it where it is offered */
	TLS_NEED_TLS,	     /* ...or do not deliver */
	TLS_NEED_AUTHORITY,  /* and a certificate that an authority signed for the host */
	TLS_NEED_DANE,	     /* and one that the TLSA records name */
	TLS_NEED_OTHER_HOST, /* this one must not be used */
};

struct tls_decision {
	enum tls_need need;
	bool testing;	    /* MTA-STS wants to know what would have failed */
	bool final;	    /* another time will not be better */
	const char *status; /* RFC 3463, of not delivering */
	const char *why;    /* literal: who wants it so; "" when nobody does */
};

void tls_decide(const struct tls_facts *f, struct tls_decision *out);
