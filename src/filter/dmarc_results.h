/* What came of each message for DMARC, so that aggregate reports (RFC 7489 7.2) can be made of it
 * later: a line in a file of the state volume for each message whose author's domain asks for them
 * (rua=). Tab-separated, "-" where there is nothing:
 *
 *	 1 seconds since 1970
 *	 2 domain where the record is
 *	 3 the policy as it is published: "p=reject sp=none np=none adkim=r aspf=s pct=100 t=n"
 *	 4 source IP address
 *	 5 disposition: none, quarantine, reject
 *	 6 DKIM, aligned: pass, fail
 *	 7 SPF, aligned: pass, fail
 *	 8 why the disposition is another than the policy's: sampled_out, trusted_forwarder,
 *	   local_policy
 *	 9 domain of From
 *	10 domain of the envelope's sender
 *	11 SPF: "domain scope result", scope mfrom or helo
 *	12 DKIM: "domain selector result", with ';' between the signatures */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "filter/dmarc.h"

struct dkim_verifier;
struct dmarc_results;
struct spf_answer;

/* In `dir`, which is there; NULL: nothing is kept. */
struct dmarc_results *dmarc_results_new(const char *dir);
void dmarc_results_free(struct dmarc_results *r);

struct dmarc_result_line {
	const struct dmarc_answer *answer;
	enum dmarc_policy disposition; /* what was done */
	bool vouched;		       /* by a chain of ARC */
	struct str client_address, author_domain, sender;
	const struct spf_answer *spf; /* NULL: not checked */
	const struct dkim_verifier *dkim;
	int64_t now;
};

/* Nothing where the domain does not ask for reports, or nothing is known. */
void dmarc_results_add(struct dmarc_results *r, const struct dmarc_result_line *l);
