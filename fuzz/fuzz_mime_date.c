/* What is read as a date is written and read again as the same one. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "mime/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size);
	struct mime_date d, again;
	struct buf b;
	int32_t day;
	buf_init(&b, &a, 64);

	if (mime_date_parse(text, &d) == 0) {
		mime_date_write(&b, &d);
		check(mime_date_parse(buf_str(&b), &again) == 0);
		check(again.unix_s == d.unix_s && again.zone_min == d.zone_min &&
		      again.zone_unknown == d.zone_unknown);
		buf_clear(&b);
		mime_date_imap_write(&b, &d);
		check(mime_date_imap_parse(buf_str(&b), &again) == 0);
		check(again.unix_s == d.unix_s);
	}
	if (mime_date_imap_parse(text, &d) == 0) {
		buf_clear(&b);
		mime_date_imap_write(&b, &d);
		check(b.n == 26);
	}
	(void)!mime_date_imap_day_parse(text, &day);
	return 0;
}
