/* Any message gives an answer or none; what an answer holds can be read by who asked. The first
 * byte chooses the type. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "dns/name.h"
#include "dns/packet.h"
#include "dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(uint32_t type, struct str rdata, struct arena *a)
{
	struct dns_srv srv;
	struct dns_mx mx;
	struct str text;

	/* Their names were written out, so that nothing can be wrong with them any more. */
	if (type == DNS_MX)
		check(dns_mx_parse(rdata, a, &mx) == 0);
	else if (type == DNS_SRV)
		check(dns_srv_parse(rdata, a, &srv) == 0);
	else if (type == DNS_PTR || type == DNS_CNAME)
		check(dns_target_parse(rdata, a, &text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { DNS_A,    DNS_CNAME, DNS_PTR,	 DNS_MX, DNS_TXT,
					  DNS_AAAA, DNS_SRV,   DNS_TLSA, DNS_CAA };
	auto_arena struct arena a = ARENA_INIT;
	struct dns_reply reply;
	struct dns_name name;

	if (size == 0)
		return 0;
	uint32_t type = types[data[0] % ARRAY_LEN(types)];
	if (dns_packet_parse(str_of(data + 1, size - 1), type, &a, &reply) < 0)
		return 0;
	check(dns_name_from_text(reply.name, &name) == 0);
	check(reply.count <= DNS_RECORDS_MAX && reply.ttl <= INT32_MAX);
	check((reply.status == DNS_FOUND) == (reply.count > 0));
	for (size_t i = 0; i < reply.count; i++)
		check_record(type, reply.records[i].data, &a);
	return 0;
}
