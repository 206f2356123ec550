/* A next hop that is understood has a host that can be asked for. */
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include "base/check.h"
#include "courier/nexthop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nexthop n;

	if (nexthop_parse(str_of(data, size), &n, NULL) < 0)
		return 0;
	check(n.host[0] && strlen(n.host) <= NEXTHOP_HOST_MAX);
	check(!n.mx || (!n.literal && !n.local && !n.lmtp));
	check(n.local || strpbrk(n.host, " \r\n\t[]") == NULL);
	return 0;
}
