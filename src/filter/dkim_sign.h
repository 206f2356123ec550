/* Sign a message (RFC 6376 5), with any number of keys at once: the body is hashed once. No I/O.
 *
 *	dkim_sign_begin, dkim_sign_body any number of times, dkim_sign_body_end,
 *	dkim_sign_write for each key, dkim_sign_done
 *
 * Fields that change on the way, or that servers behind us add, are not signed. From and those that
 * clients show or act upon are signed once more than they occur, so that nobody can add another. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_hash.h"
#include "filter/dkim_key.h"

struct arena;

struct dkim_signer {
	struct dkim_fields fields;
	struct dkim_hashes hashes;
	int hash; /* in `hashes`: the whole body, relaxed */
};

/* `header` lives as long as the signer. 0, or -E2BIG when there are too many fields. */
int must_check dkim_sign_begin(struct dkim_signer *s, struct str header, struct arena *a);
void dkim_sign_body(struct dkim_signer *s, struct str piece);
void dkim_sign_body_end(struct dkim_signer *s);

struct dkim_identity {
	struct str domain, selector;
	const struct dkim_private_key *key;
	int64_t now; /* t= */
};

/* Append a DKIM-Signature field with its line end. */
void dkim_sign_write(const struct dkim_signer *s, const struct dkim_identity *id, struct buf *out);

void dkim_sign_done(struct dkim_signer *s);

/* Append an ARC-Message-Signature with that number (RFC 8617 4.1.2). */
void dkim_sign_write_arc_message(const struct dkim_signer *s, const struct dkim_identity *id,
				 size_t number, struct buf *out);

/* Append an ARC-Seal (RFC 8617 4.1.3). */
struct dkim_seal {
	size_t number;
	const char *verdict; /* cv= */
	struct str *fields;  /* that it signs, in their order; with room for one more, itself */
	size_t count;
};
void dkim_sign_write_seal(const struct dkim_identity *id, const struct dkim_seal *seal,
			  struct buf *out);
