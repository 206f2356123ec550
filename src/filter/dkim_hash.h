/* SHA-256 over canonical bodies and headers. The body is read once, whatever number of hashes of it
 * signatures ask for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_canon.h"

struct arena;
struct evp_md_ctx_st;
struct mime_field;

#define DKIM_HASH_SIZE	32
#define DKIM_HASHES_MAX 10 /* DKIM_SIGNATURES_MAX, and two for ARC */
#define DKIM_WHOLE_BODY UINT64_MAX
#define DKIM_FIELDS_MAX 1000
#define DKIM_SIGNED_MAX 256 /* names in one h= */

struct dkim_body_hash {
	uint64_t limit; /* canonical bytes that count: l= */
	uint64_t length;
	struct evp_md_ctx_st *md;
	struct dkim_canon_body body;
	unsigned char digest[DKIM_HASH_SIZE]; /* after dkim_hashes_end */
};

struct dkim_hashes {
	struct dkim_body_hash *v[DKIM_HASHES_MAX];
	size_t n;
	bool ended;
};

/* The number of the hash, an earlier one where it is the same; -E2BIG when there are too many. */
int must_check dkim_hashes_add(struct dkim_hashes *h, enum dkim_canon canon, uint64_t limit,
			       struct arena *a);
void dkim_hashes_feed(struct dkim_hashes *h, struct str piece);
void dkim_hashes_end(struct dkim_hashes *h);
/* Give back what is not in the arena; at any time. */
void dkim_hashes_done(struct dkim_hashes *h);

/* The fields of a message, in their order. Lives in `a`; 0 or -E2BIG. */
struct dkim_fields {
	struct mime_field *v;
	size_t n;
};
int must_check dkim_fields_parse(struct str header, struct arena *a, struct dkim_fields *out);

/* Which fields a signature covers, and itself. */
struct dkim_header_spec {
	enum dkim_canon canon;
	struct str names;     /* h=: from the last field of a name to the first */
	struct str signature; /* the field without its line end and the value of b= */
};

/* 0, or -E2BIG for too many names. */
int must_check dkim_header_digest(const struct dkim_fields *fields,
				  const struct dkim_header_spec *spec,
				  unsigned char digest[DKIM_HASH_SIZE]);

/* The same over fields that are given, in their order, each without its line end; the last one is
 * the signature. Relaxed (RFC 8617 5.1.1). */
void dkim_chain_digest(const struct str *fields, size_t n, unsigned char digest[DKIM_HASH_SIZE]);

/* A field without the value of one of its tags, which is a slice of it. Lives in `a`. */
struct str dkim_without(struct str field, struct str value, struct arena *a);
