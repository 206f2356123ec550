/* The fields are the header, byte for byte; the scanner sees the same, however the message is
 * cut. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "mime/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The scanner's counts, fed in pieces of `step` bytes. */
static struct mime_header_scan scan(struct str message, size_t step,
				    struct mime_header_watch *watch)
{
	struct mime_header_scan s;
	mime_header_scan_init(&s, MIME_HEADER_NO_LIMITS, watch, 1);
	for (size_t at = 0; at < message.n && !s.ended; at += step)
		check(mime_header_scan(&s, str_sub(message, at, step)) >= 0);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str message = str_of(data + 1, size - 1);
	struct mime_header_watch watch = { STR("Received"), 0 };
	struct mime_header_scan s = scan(message, (size_t)data[0] + 1, &watch);

	struct mime_header_iter it;
	struct mime_field f;
	size_t at = 0, fields = 0, received = 0;
	mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) > 0) {
		check(f.whole.p == message.p + at && f.whole.n > 0);
		at += f.whole.n;
		fields += !f.is_garbage;
		received += str_eq_nocase(f.name, STR("Received"));
	}
	check(mime_header_size(message) == message.n - it.rest.n);
	check(s.total == mime_header_size(message));
	check(s.ended == it.ended);
	check(s.fields == fields && watch.count == received);
	return 0;
}
