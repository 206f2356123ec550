/* A header is found in its own bytes again, whole and no sooner, and its addresses can be read. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "core/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *text)
{
	struct in6_addr bytes;

	check(inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of(data, size);
	struct proxy_header h, again;
	int n = proxy_header_parse(bytes, &h);

	if (n <= 0)
		return 0;
	check((size_t)n <= size && n <= PROXY_HEADER_MAX);
	check(proxy_header_parse(str_sub(bytes, 0, (size_t)n), &again) == n);
	check(proxy_header_parse(str_sub(bytes, 0, (size_t)n - 1), &again) == 0);
	if (!h.local) {
		check_address(h.source);
		check_address(h.destination);
	}
	return 0;
}
