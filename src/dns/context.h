/* One resolver of libunbound with its cache: recursion from the root, or through forwarders. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "core/endpoint.h"
#include "dns/packet.h"

struct arena;
struct err;
struct group;

struct dns_context_config {
	const struct endpoint *forwarders;
	size_t forwarder_count;	  /* 0: recursion */
	const char *trust_anchor; /* file; NULL: answers are not validated */
	const char *root_hints;	  /* file; NULL: those that libunbound was built with */
	int64_t cache_size;	  /* bytes of all its caches together */
	int64_t stale_max;	  /* ms that an answer may be used after its time */
	unsigned questions_max;	  /* in flight at a time; more wait */
};

struct dns_context;

/* Reads the files; its fiber lives in `g`, which has ended before dns_context_close. Returns NULL
 * when libunbound refuses. */
struct dns_context *may_suspend dns_context_open(const struct dns_context_config *config,
						 struct group *g, struct err *err);
void dns_context_close(struct dns_context *c);

struct dns_outcome {
	struct dns_reply reply;
	bool secure;
	bool cached;	   /* it was known */
	struct str reason; /* of DNS_TEMPFAIL and DNS_BOGUS */
};

struct dns_question {
	struct str name; /* as dns_name_from_text takes it */
	uint32_t type;
	int64_t deadline;
};

/* What *out points to lives in `a`. 0 with any status; -ETIMEDOUT with DNS_TEMPFAIL when the
 * deadline came first (the question goes on and fills the cache); -ECANCELED. */
int may_suspend must_check dns_context_ask(struct dns_context *c,
					   const struct dns_question *question, struct arena *a,
					   struct dns_outcome *out);

/* Questions in flight, also those whose asker has gone. */
unsigned dns_context_pending(const struct dns_context *c);
