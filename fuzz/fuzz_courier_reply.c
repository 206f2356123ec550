/* What a server says: a reply fits, is printable and has a status of its class. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "courier/capabilities.h"
#include "courier/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct courier_capabilities caps = { 0 };
	struct courier_reply r;
	int result = REPLY_MORE;

	courier_reply_init(&r);
	STR_FOREACH_LINE (str_of(data, size), line) {
		if (result != REPLY_MORE)
			break;
		result = courier_reply_add(&r, line);
		courier_capabilities_add(&caps, courier_reply_rest(line));
	}
	check(r.n <= REPLY_TEXT_MAX && r.lines <= REPLY_LINES_MAX + 1);
	for (size_t i = 0; i < r.n; i++)
		check((unsigned char)r.text[i] >= ' ');
	if (result == REPLY_DONE && r.lines)
		check(r.code >= 200 && r.code < 600 && r.status[0] - '0' == r.code / 100);
	return 0;
}
