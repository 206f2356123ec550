/* Private to the service: a message that is being checked, and what was found. */
#pragma once

#include "base/arena.h"
#include "filter/arc.h"
#include "filter/arc_seal.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/filter_state.h"
#include "filter/message.h"
#include "filter/signing.h"
#include "filter/spf.h"

#define SYMBOLS_MAX (DKIM_SIGNATURES_MAX + 5)

struct check {
	struct filter *filter;
	const struct filter_examine_in *in;
	struct arena *arena;
	struct arena reading; /* of the thread that reads the message, and of what it found */
	struct err *err;
	int64_t end;

	struct spf_question question;
	struct spf_answer helo, sender;
	bool has_spf;

	int read; /* what came of reading it */
	struct dkim_verifier dkim;
	struct arc_chain arc;
	struct message_authors authors;
	struct str author_domain; /* whose result counts; empty: there is no author */
	struct dmarc_answer dmarc;
	bool vouched; /* by ARC: its policy does not count */

	struct signing *signing;
	struct str author; /* in whose name we sign, for a host that is trusted */
	const struct signing_key *signers[SIGNING_KEYS_PER_MESSAGE];
	size_t signer_count;
	const struct signing_key *sealer; /* NULL: the message gets no seal */
	struct arc_seal seal;
	struct buf added; /* fields that we sign: signatures, or a set of ARC */

	struct filter_symbol symbols[SYMBOLS_MAX];
	size_t symbol_count;
};

/* In `a`, which outlives it, as *in does. */
struct check *filter_check_new(struct filter *f, const struct filter_examine_in *in,
			       struct arena *a, struct err *err);
void filter_check_done(struct check *c);

/* Find everything out; *out lives in the arena. Nothing is logged or counted. 0, or the error of
 * reading the message. */
int may_suspend must_check filter_check_run(struct check *c, struct filter_examine_out *out);
