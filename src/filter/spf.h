/* May this client send in the name of this domain? SPF, RFC 7208. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct lookup;

enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

const char *spf_result_name(enum spf_result r);

struct spf_question {
	struct str address; /* 4 or 16 bytes */
	struct str sender;  /* the envelope's, empty for <> */
	struct str helo;
	struct str receiver; /* who asks: our name */
	int64_t now;
};

struct spf_answer {
	enum spf_result result;
	bool by_helo;	      /* about HELO, not about the sender */
	struct str domain;    /* of that identity */
	struct str mechanism; /* that decided, as written; or empty */
	struct str
		explanation; /* of a fail, what the domain wants its sender to be told; printable */
	const char *reason;  /* of an error, static */
};

/* About the domain of HELO, and about that of the sender (RFC 7208 2.3, 2.4; of <> the former).
 * Texts live in `a`. 0 or -ECANCELED. */
int may_suspend must_check spf_check_helo(const struct lookup *dns, const struct spf_question *q,
					  struct arena *a, struct spf_answer *out);
int may_suspend must_check spf_check_sender(const struct lookup *dns, const struct spf_question *q,
					    struct arena *a, struct spf_answer *out);

/* Append a Received-SPF field (RFC 7208 9.1) with its line end. */
void spf_write_received(struct buf *out, const struct spf_question *q, const struct spf_answer *s);
