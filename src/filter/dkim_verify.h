/* Check the DKIM signatures of a message (RFC 6376 6). No I/O: the caller brings the bytes of the
 * body as they come and the key records as they are found.
 *
 *	dkim_verify_begin	reads the header: what signatures there are
 *	dkim_verify_body	any number of times
 *	dkim_verify_body_end	body hashes are compared
 *	dkim_verify_key		for each signature that is still DKIM_NONE
 *	dkim_verify_done */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "filter/dkim.h"
#include "filter/dkim_hash.h"
#include "filter/dkim_key.h"

struct arena;
struct dkim_keys;

/* The rest is not looked at: checking costs us, writing costs nothing. */
#define DKIM_SIGNATURES_MAX 8

struct dkim_signature {
	enum dkim_result result; /* DKIM_NONE: undecided, the key is wanted */
	const char *reason;	 /* static, for people; NULL: none */
	struct str domain, selector, identity;
	struct str key_name; /* where the record is */
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	struct str names;	   /* h= */
	struct str b;		   /* base64, compact */
	struct str bytes;	   /* the same, decoded */
	struct str bh;		   /* decoded */
	uint64_t limit;		   /* l= or DKIM_WHOLE_BODY */
	int hash;		   /* in dkim_verifier.hashes */
	unsigned bits;		   /* of its key, when that is known */
	bool testing;		   /* the domain says so */
	struct str unsigned_field; /* the field without b= */

	/* ARC-Seal: what it signs instead of `names`, itself at the end; it has no body hash. */
	const struct str *chain;
	size_t chain_count;
};

struct dkim_verifier {
	struct arena *arena;
	struct dkim_keys *keys; /* set after dkim_verify_begin, or NULL: nothing is remembered */
	struct dkim_fields fields;
	struct dkim_hashes hashes;
	int64_t now;
	struct dkim_signature v[DKIM_SIGNATURES_MAX];
	size_t n;
	size_t ignored; /* signatures beyond those */
};

/* `header` lives as long as the verifier. 0, or -E2BIG when there are too many fields. */
int must_check dkim_verify_begin(struct dkim_verifier *v, struct str header, int64_t now,
				 struct arena *a);
void dkim_verify_body(struct dkim_verifier *v, struct str piece);
void dkim_verify_body_end(struct dkim_verifier *v);

/* The key records of a signature. */
void dkim_verify_key(struct dkim_verifier *v, struct dkim_signature *s, const struct str *records,
		     size_t count);

/* Which field a signature is in. */
enum dkim_kind {
	DKIM_SIGNATURE,
	DKIM_ARC_MESSAGE, /* ARC-Message-Signature: no v=, and i= is a number */
	DKIM_ARC_SEAL,	  /* ARC-Seal: no h=, no bh= either */
};

/* Read a signature that is none of the verifier's own, between begin and body; compare its body
 * hash after body_end. dkim_verify_key takes it as any other. */
void dkim_verify_read(struct dkim_verifier *v, const struct mime_field *f, enum dkim_kind kind,
		      struct dkim_signature *out);
void dkim_verify_body_hash(const struct dkim_verifier *v, struct dkim_signature *s);

/* Give back what is not in the arena. */
void dkim_verify_done(struct dkim_verifier *v);
