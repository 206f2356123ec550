/* The Authentication-Results field (RFC 8601): what others are told about a message. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct arc_chain;
struct dkim_verifier;
struct dmarc_answer;
struct spf_answer;

struct authres {
	struct str server; /* authserv-id: our name */
	const struct dkim_verifier *dkim;
	const struct arc_chain *arc;	  /* NULL: not checked */
	const struct spf_answer *spf;	  /* NULL: not checked */
	const struct dmarc_answer *dmarc; /* NULL: there is no author */
	struct str author_domain;
	struct str client_address; /* whose word the chain of ARC is; or empty */
};

/* Append what stands in the field, from our name on, in several lines. */
void authres_write(struct buf *out, const struct authres *r);
