/* Keys of DKIM: the records in the DNS (RFC 6376 3.6, RFC 8463), and private keys in files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;
struct evp_pkey_st;

#define DKIM_RSA_BITS_MIN  1024 /* RFC 8301 3.2 */
#define DKIM_RSA_BITS_MAX  16384
#define DKIM_SIGNATURE_MAX (DKIM_RSA_BITS_MAX / 8)

enum dkim_algorithm {
	DKIM_RSA_SHA256,
	DKIM_ED25519_SHA256,
	DKIM_RSA_SHA1, /* recognised, never accepted (RFC 8301 3.1) */
};

struct dkim_public_key {
	struct evp_pkey_st *pkey;
	enum dkim_algorithm algorithm;
	unsigned bits;
	bool testing; /* t=y */
	bool strict;  /* t=s: i= has no subdomain */
};

/* Read a key record. 0; -ENODATA when the key was revoked; -EINVAL, and *reason (static), for what
 * cannot be used. dkim_public_key_done afterwards in any case. */
int must_check dkim_public_key_parse(struct str record, struct dkim_public_key *out,
				     const char **reason);
void dkim_public_key_done(struct dkim_public_key *key);

/* Does the signature belong to this digest? */
bool dkim_public_key_verify(const struct dkim_public_key *key, const unsigned char digest[32],
			    struct str signature);

/* A private key: PEM, or base64 of the 32 bytes of an Ed25519 key as Rspamd keeps it. 0 or
 * -EINVAL. */
struct dkim_private_key {
	struct evp_pkey_st *pkey;
	enum dkim_algorithm algorithm;
};
int must_check dkim_private_key_parse(struct str text, struct dkim_private_key *out,
				      struct err *err);
void dkim_private_key_done(struct dkim_private_key *key);

/* Do the two belong together? */
bool dkim_private_key_fits(const struct dkim_private_key *key, const struct dkim_public_key *other);

/* Append the signature of a digest. */
void dkim_private_key_sign(const struct dkim_private_key *key, const unsigned char digest[32],
			   struct buf *out);

/* A new key; `bits` are those of RSA. */
void dkim_private_key_generate(enum dkim_algorithm algorithm, unsigned bits,
			       struct dkim_private_key *out);

/* Append it as PEM (PKCS #8), or the base64 of an Ed25519 key's 32 bytes. */
void dkim_private_key_write(const struct dkim_private_key *key, struct buf *out);
void dkim_private_key_write_seed(const struct dkim_private_key *key, struct buf *out);

/* Append the end of its key record: "k=rsa; p=..." */
void dkim_private_key_write_record(const struct dkim_private_key *key, struct buf *out);
