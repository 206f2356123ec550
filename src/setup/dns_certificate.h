/* The certificates that the server shows. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;
struct settings;

#define DNS_CERTIFICATES_MAX 2

struct dns_certificate {
	struct str der;	   /* the whole */
	struct str spki;   /* its key: SubjectPublicKeyInfo */
	struct str issuer; /* name of the organization, or empty */
	struct str *chain; /* of its authorities, as far as the file has them: DER */
	struct str *chain_keys;
	size_t chain_count;
};

/* The certificate and, where there is one, the second. How many, or -errno: there is none, or it
 * cannot be read. */
int must_check dns_certificates_load(const struct settings *set, struct arena *a,
				     struct dns_certificate out[DNS_CERTIFICATES_MAX],
				     struct err *err);

/* A digest as in TLSA records: matching type 0 (the bytes themselves), 1 (SHA-256), 2 (SHA-512);
 * empty for others. */
struct str dns_certificate_digest(struct str bytes, unsigned matching, struct arena *a);
