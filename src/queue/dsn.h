/* The message that tells a sender what became of a recipient: multipart/report (RFC 6522) with a
 * message/delivery-status part (RFC 3464), or their internationalised forms (RFC 6533) for
 * SMTPUTF8 mail. Writes bytes, knows neither queue nor journal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "queue/envelope.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELIVERED,
};

struct dsn {
	enum dsn_action action;
	struct str fqdn;
	struct str id;	      /* of the message that this is about */
	struct str report_id; /* of this message */
	const struct envelope *envelope;
	const struct envelope_recipient *recipient;
	struct str status; /* "5.2.2" */
	struct str text;   /* why, from whoever decided it */
	int64_t arrival_s, now_s;
	uint64_t random;     /* makes the boundary */
	struct str original; /* what is returned of the message: all, or its header */
	bool only_header;    /* `original` is the header */
};

/* The most of an original that is returned whole. */
#define DSN_ORIGINAL_MAX 50000

/* Enough for everything with an original of that size. */
#define DSN_SIZE_MAX (DSN_ORIGINAL_MAX + 16384)

/* The whole message with CRLF line ends. */
void dsn_write(struct buf *out, const struct dsn *d);

/* The header of a message, without the empty line; all of it when there is none. */
struct str dsn_header_of(struct str message);
