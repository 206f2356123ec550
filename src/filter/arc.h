/* What servers on the way of a message say they found out about it: ARC, RFC 8617. The chain is
 * checked beside the DKIM signatures of a message, with its verifier:
 *
 *	arc_begin		after dkim_verify_begin
 *	arc_body_end		after dkim_verify_body_end
 *	dkim_verify_key		for each of arc_signature() that is still DKIM_NONE
 *	arc_end			the result */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_verify.h"

#define ARC_SETS_MAX 50 /* RFC 8617 4.2.1 */

enum arc_result {
	ARC_NONE,
	ARC_PASS,
	ARC_FAIL,
};

const char *arc_result_name(enum arc_result r);

struct arc_chain {
	size_t n; /* sets; 0 also for a chain that is none */
	enum arc_result result;
	const char *reason;	       /* of ARC_FAIL, static */
	size_t highest;		       /* number of a set, also of a chain that is none */
	bool ended;		       /* its last server has found that it fails */
	bool undecided;		       /* fails only because a key cannot be found now */
	struct str *fields;	       /* of n sets, as RFC 8617 5.1.1 orders them */
	struct dkim_signature message; /* the last ARC-Message-Signature */
	struct dkim_signature *seals;  /* n of them */
	struct str first_results;      /* what the first server found: its field's value */
};

void arc_begin(struct arc_chain *c, struct dkim_verifier *v);
void arc_body_end(struct arc_chain *c, const struct dkim_verifier *v);

/* The signatures that want a key, one after the other; NULL behind the last. */
struct dkim_signature *arc_signature(struct arc_chain *c, size_t i);

void arc_end(struct arc_chain *c);

/* The number of the set of a server that passes the message on (RFC 8617 5.1). 0: it adds none,
 * because the chain is at its end, or may pass for servers behind it that find its keys. */
size_t arc_next(const struct arc_chain *c);

/* Does the chain pass, has every server in it one of these domains (separated by commas or blanks),
 * and did the first of them see DMARC pass? */
bool arc_vouches(const struct arc_chain *c, struct str trusted);
