/* Does the domain of From stand behind a message, and what does it want done with others? DMARC,
 * RFC 7489, with the search for policies of its successor: up the tree. The list of public suffixes
 * counts where no domain on the way says anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct lookup;

enum dmarc_result {
	DMARC_NONE, /* the domain says nothing */
	DMARC_PASS,
	DMARC_FAIL,
	DMARC_TEMPERROR,
	DMARC_PERMERROR,
};

enum dmarc_policy {
	DMARC_ACCEPT, /* p=none */
	DMARC_QUARANTINE,
	DMARC_REJECT,
};

const char *dmarc_result_name(enum dmarc_result r);
const char *dmarc_policy_name(enum dmarc_policy p);

struct dmarc_record {
	enum dmarc_policy policy, subdomains, nowhere; /* p, sp, np */
	bool strict_dkim, strict_spf;
	unsigned percent;   /* pct */
	bool testing;	    /* t=y */
	char psd;	    /* 'y', 'n' or 'u' */
	bool wants_reports; /* rua */
};

/* 0; -EINVAL for what is no record, or one that says nothing that counts. */
int must_check dmarc_record_parse(struct str text, struct dmarc_record *out);

struct dmarc_identifiers {
	struct str from;	/* domain */
	const struct str *dkim; /* domains of the signatures that passed */
	size_t dkim_count;
	struct str spf;	 /* domain that SPF passed for, or empty */
	bool undecided;	 /* a signature or SPF may pass later */
	unsigned chance; /* 0 to 99, for pct */
};

struct dmarc_answer {
	enum dmarc_result result;
	enum dmarc_policy policy;      /* that the domain has */
	enum dmarc_policy disposition; /* what it wants for this message */
	struct str domain;	       /* where the record is */
	struct dmarc_record record;    /* there */
	bool dkim_aligned, spf_aligned;
};

/* Lives in `a`. 0 or -ECANCELED. */
int may_suspend must_check dmarc_check(const struct lookup *dns, const struct dmarc_identifiers *i,
				       struct arena *a, struct dmarc_answer *out);
