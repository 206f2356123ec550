/* A head is found in its own bytes again, whole and no sooner, and names a path. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_of(data, size);
	struct http_request q, again;
	int n = http_request_parse(bytes, &q);

	if (n <= 0)
		return 0;
	check((size_t)n <= size);
	check(http_request_parse(str_sub(bytes, 0, (size_t)n), &again) == n);
	check(http_request_parse(str_sub(bytes, 0, (size_t)n - 1), &again) == 0);
	check(q.method.n > 0 && q.path.n > 0 && q.path.p[0] == '/');
	check(str_find_byte(q.path, '\r') < 0 && str_find_byte(q.path, '?') < 0);
	return 0;
}
