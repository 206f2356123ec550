/* A body is a part of what came, and more bytes do not unmake an error. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "courier/http_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str body = STR_NONE;

	int r = http_response_parse(str_of(data, size), false, &a, &body, NULL);
	if (r == 0)
		check(body.n <= size);
	r = http_response_parse(str_of(data, size), true, &a, &body, NULL);
	check(r != -EAGAIN);
	return 0;
}
