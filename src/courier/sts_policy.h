/* What a domain says about MTA-STS (RFC 8461 3): its TXT record, its policy, and which hosts that
 * names. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "courier/tls_policy.h"

struct arena;
struct err;

#define STS_ID_MAX	32		/* 3.1 */
#define STS_MX_MAX	100		/* patterns of one policy that are kept */
#define STS_MAX_AGE	31557600	/* 3.2: about a year */
#define STS_POLICY_SIZE ((size_t)65536) /* 3.3 */

struct sts_policy {
	enum tls_sts_mode mode; /* TLS_STS_NONE: "none" */
	uint32_t max_age;	/* seconds */
	struct str *mx;
	size_t mx_count;
};

/* The id in the one record of these that begins with "v=STSv1". False when there is none, or more
 * than one, or it is broken. */
bool sts_id_find(const struct str *records, size_t n, struct str *id);

/* 0, or -EINVAL with the reason. Strings point into `text`, the list lives in `a`. */
int must_check sts_policy_parse(struct str text, struct arena *a, struct sts_policy *out,
				struct err *err);

/* 4.1: "*.example.com" stands for one label before the rest. */
bool sts_policy_names(const struct sts_policy *p, struct str host);
