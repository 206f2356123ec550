/* The client's side of SASL: PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-256 with and
 * without channel binding (RFC 7677, 5802) and XOAUTH2. No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"
#include "courier/capabilities.h"

#define SASL_CLIENT_MESSAGE_MAX 8192
#define SASL_NONCE_MAX		64

/* RFC 7677 4 asks for 4096 at least; what a server may make us compute has an end. */
#define SASL_ITERATIONS_MAX 1000000

struct sasl_client {
	enum courier_mechanism mechanism;
	struct str user, password;
	const char *binding_type; /* NULL: no channel to bind to */
	struct str binding;
	bool plus_offered; /* the server can do it: not saying so would show a downgrade */

	unsigned step;
	char nonce[SASL_NONCE_MAX]; /* set before the first step, of printable characters but "," */
	struct buf first_bare;	    /* SCRAM: our first message */
	unsigned char server_signature[32];
	bool server_proven; /* SCRAM: it knows the password too */
};

/* The best of what is offered; 0 for none. Passwords are not shown to whom may not be alone on the
 * line. */
enum courier_mechanism sasl_client_choose(unsigned offered, bool tls, bool can_bind);
struct str sasl_client_name(enum courier_mechanism m);

/* Does the first message go with the command? Otherwise the server speaks first. */
bool sasl_client_begins(const struct sasl_client *x);

/* Append the next message to `out`, after the server's (empty before the first one that goes with
 * the command). Slow for SCRAM: 10 ms and more. 0, or -EPROTO when the server's message is not
 * what the mechanism says, or proves that it does not know the password. */
int must_check sasl_client_step(struct sasl_client *x, struct str challenge, struct buf *out);

/* May success be believed? */
bool sasl_client_is_complete(const struct sasl_client *x);
void sasl_client_done(struct sasl_client *x);
