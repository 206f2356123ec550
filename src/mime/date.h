/* Date and time as mail writes them: the Date field (RFC 5322 3.3 with the obsolete forms of
 * 4.3) and IMAP's date-time and date (RFC 9051 9). Without the C library's locale and time zone. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct mime_date {
	int64_t unix_s;	   /* seconds since the epoch, UTC */
	int16_t zone_min;  /* offset of the writer's clock from UTC in minutes, east positive */
	bool zone_unknown; /* "-0000", no zone or a name that means nothing: taken as UTC */
};

/* A Date field's value, folds and comments allowed. Beyond the RFC it accepts what old clients
 * write: no zone, no comma, the order of asctime(3), '-' between day, month and year. 0 or
 * -EINVAL. */
int must_check mime_date_parse(struct str value, struct mime_date *out);

/* "Tue, 24 Nov 2026 04:02:29 +0000". Years outside 0..9999 are clamped into them. */
void mime_date_write(struct buf *out, const struct mime_date *d);

/* IMAP INTERNALDATE and APPEND without the quotes, exactly 26 bytes: "24-Nov-2026 04:02:29
 * +0000", " 4-Nov-…". 0 or -EINVAL. */
int must_check mime_date_imap_parse(struct str text, struct mime_date *out);
void mime_date_imap_write(struct buf *out, const struct mime_date *d);

/* IMAP "date" of SEARCH without quotes, "4-Nov-2026": days since the epoch. 0 or -EINVAL. */
int must_check mime_date_imap_day_parse(struct str text, int32_t *out);

/* The day on the writer's calendar, in days since the epoch: what SEARCH compares, "disregarding
 * time and timezone". */
int32_t mime_date_day(const struct mime_date *d);
