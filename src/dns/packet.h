/* An answer as libunbound gives it: one DNS message (RFC 1035 4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "dns/dns.h"
#include "dns/dns_ipc.h"

struct arena;

/* More records of one type have no use here, and an answer to another process has a limit. */
#define DNS_RECORDS_MAX	     1000
#define DNS_RECORD_BYTES_MAX (64 * 1024)

struct dns_reply {
	enum dns_status status;
	struct str name; /* at the end of the aliases */
	uint32_t ttl;	 /* the shortest of everything that was used */
	struct dns_record *records;
	size_t count;
};

/* Follow the aliases of the message and collect the records of `type`; everything in *out lives in
 * `a`. 0, or -EBADMSG for what is no answer: cut, wrong lengths, aliases in a circle; -E2BIG for
 * too many records. */
int must_check dns_packet_parse(struct str packet, uint32_t type, struct arena *a,
				struct dns_reply *out);
