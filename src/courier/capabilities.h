/* What a server offers in its answer to EHLO or LHLO. */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum courier_extension {
	COURIER_PIPELINING = 1 << 0, /* RFC 2920 */
	COURIER_CHUNKING = 1 << 1,   /* RFC 3030 */
	COURIER_BINARYMIME = 1 << 2, /* RFC 3030 */
	COURIER_8BITMIME = 1 << 3,   /* RFC 6152 */
	COURIER_SMTPUTF8 = 1 << 4,   /* RFC 6531 */
	COURIER_DSN = 1 << 5,	     /* RFC 3461 */
	COURIER_SIZE = 1 << 6,	     /* RFC 1870 */
	COURIER_STARTTLS = 1 << 7,   /* RFC 3207 */
	COURIER_REQUIRETLS = 1 << 8, /* RFC 8689 */
	COURIER_AUTH = 1 << 9,	     /* RFC 4954 */
	COURIER_PRIORITY = 1 << 10,  /* RFC 6710 */
};

enum courier_mechanism {
	COURIER_AUTH_PLAIN = 1 << 0,
	COURIER_AUTH_LOGIN = 1 << 1,
	COURIER_AUTH_CRAM_MD5 = 1 << 2,
	COURIER_AUTH_SCRAM_SHA_256 = 1 << 3,
	COURIER_AUTH_SCRAM_SHA_256_PLUS = 1 << 4,
	COURIER_AUTH_XOAUTH2 = 1 << 5,
};

struct courier_capabilities {
	unsigned extensions; /* enum courier_extension, or'ed */
	unsigned mechanisms; /* enum courier_mechanism, or'ed */
	uint64_t size;	     /* largest message; 0: not said */
	uint64_t mail_max;   /* RFC 9422: messages per session; 0: not said */
	uint64_t rcpt_max;   /* recipients per message; 0: not said */
};

/* One line of the answer, behind its code; the first line, a greeting, is not one of them. What
 * cannot be understood counts as not there. */
void courier_capabilities_add(struct courier_capabilities *c, struct str line);
