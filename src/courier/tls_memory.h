/* What is remembered of other servers and TLS: which of them had it, and what came of each session
 * with one whose domain has a policy, for reports (RFC 8460) that are made of it later. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct tls_memory;

/* In `dir`, which is there; NULL: nothing is kept over a restart. */
struct tls_memory *tls_memory_new(const char *dir);
void tls_memory_free(struct tls_memory *m);

bool tls_memory_had_tls(const struct tls_memory *m, struct str host);
void tls_memory_add(struct tls_memory *m, struct str host);

/* One session. `policy` and `result` are words of RFC 8460 4.2 and 4.3; the result of one that went
 * well is "success". */
struct tls_session_result {
	struct str domain, relay;
	const char *policy, *result;
};
void tls_memory_note(struct tls_memory *m, const struct tls_session_result *r);
