/* Sender Rewriting Scheme: the reverse-path of forwarded mail, so that it is ours for SPF, and
 * the way back for reports. Compatible with postsrsd 1.x, whose keys and addresses in the wild
 * stay good.
 *
 * SRS0=hash=days=domain=local@ours                for local@domain
 * SRS1=hash=first==hash=days=domain=local@ours   for what `first` has rewritten already */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

#define SRS_SECRETS_MAX 16

struct srs {
	struct str domain;  /* of rewritten addresses, in lower case; empty: SRS is off */
	struct str exclude; /* domains that are not rewritten, ".example.org" for those below it */
	struct str secrets[SRS_SECRETS_MAX]; /* the first signs, all verify; at least one */
	size_t secret_count;
};

/* Lines of a key file, or words between commas. Strings point into `text`. 0; -ENODATA: no key;
 * -E2BIG: too many. */
int must_check srs_set_secrets(struct srs *s, struct str text, struct err *err);

/* May this sender's domain be rewritten at all? */
bool srs_applies(const struct srs *s, struct str sender);

/* The reverse-path to forward mail of `sender` with; now_s: seconds since the epoch. -EMSGSIZE: the
 * local part would be longer than any server has to take. */
int must_check srs_forward(const struct srs *s, struct str sender, int64_t now_s, struct arena *a,
			   struct str *out);

/* Where a report for a rewritten address goes. 0; -ENOENT: it is none; -EKEYREJECTED: it was not
 * made here; -ETIME: it is too old. */
int must_check srs_reverse(const struct srs *s, struct str address, int64_t now_s, struct arena *a,
			   struct str *out);
