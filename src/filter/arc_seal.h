/* Add a set to a chain of ARC, for the next server to know what was found here (RFC 8617 5.1). It
 * stands beside the verifier of the message, so that the body is hashed once:
 *
 *	arc_seal_begin		between dkim_verify_begin and the body
 *	arc_seal_write		after arc_end */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_sign.h"

struct arc_chain;
struct dkim_verifier;

/* The number of the hash of the body. */
int arc_seal_begin(struct dkim_verifier *v);

struct arc_seal {
	const struct dkim_verifier *verifier;
	const struct arc_chain *chain;
	int hash;
	struct dkim_identity identity;
	struct str results; /* what stands in Authentication-Results, from our name on */
};

/* Append the three fields with their line ends; nothing where arc_next() is 0. */
void arc_seal_write(const struct arc_seal *s, struct buf *out);
