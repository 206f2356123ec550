/* The Authentication-Results field (RFC 8601): what others are told about a message. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "filter/filter.h"

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
	struct str client_address; /* who has brought it; or empty */
	struct str client_name;	   /* his, where `iprev` passes */
	enum filter_iprev iprev;
};

const char *authres_iprev_name(enum filter_iprev r);

/* Append what stands in the field, from our name on, in several lines. */
void authres_write(struct buf *out, const struct authres *r);
