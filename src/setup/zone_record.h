/* Records for the DNS as people add them: lines of a zone file, and what external-dns reads.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

#define ZONE_RECORD_TTL 3600

/* Names have no dot at their end. The value is the text of a TXT record, and of others what a zone
 * file has, again without last dots: "10 mail.example.org". */
struct zone_record {
	struct str name;
	const char *type;
	struct str value;
};

/* "example.org.	3600	IN	MX	10 mail.example.org.", without a line end. */
void zone_record_write_zone(struct buf *out, const struct zone_record *r);

/* The strings of a TXT record in quotes, each of at most 255 bytes (RFC 1035 3.3.14). */
void zone_record_write_strings(struct buf *out, struct str text);

/* All records of one name and type, which is what an endpoint of external-dns stands for: others
 * that are there have to be named, or they go. */
struct zone_record_set {
	struct str name;
	const char *type;
	const struct str *values;
	size_t count;
};

/* A DNSEndpoint (externaldns.k8s.io/v1alpha1) with these sets. */
void zone_record_write_yaml(struct buf *out, struct str domain, const struct zone_record_set *sets,
			    size_t count);

/* Types that external-dns has no endpoints for are left out of it. */
bool zone_record_has_endpoint(const char *type);
