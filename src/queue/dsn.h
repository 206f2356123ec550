/* The message that tells a sender what became of recipients: multipart/report (RFC 6522) with a
 * message/delivery-status part (RFC 3464), or their internationalised forms (RFC 6533) for
 * SMTPUTF8 mail. Writes bytes, knows neither queue nor journal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "queue/envelope.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED, /* to a server that will not report success */
	DSN_ACTIONS,
};

struct dsn_recipient {
	const struct envelope_recipient *recipient;
	struct str status; /* "5.2.2" */
	struct str text;   /* why, from whoever decided it: a reply, or words of our own */
	struct str relay;  /* "mx.example.org[192.0.2.1]:25"; anything else: no other server */
};

struct dsn {
	enum dsn_action action;
	struct str fqdn;
	struct str id;	      /* of the message that this is about */
	struct str report_id; /* of this message */
	const struct envelope *envelope;
	const struct dsn_recipient *recipients;
	size_t count;
	bool expired;	     /* DSN_FAILED because there is no more time */
	int64_t lifetime_ms; /* how long a message is tried */
	int64_t arrival_s, now_s;
	uint64_t random;     /* makes the boundary */
	struct str original; /* what is returned of the message: all, or its header */
	bool only_header;    /* `original` is the header */
};

/* The most of an original that is returned whole. */
#define DSN_ORIGINAL_MAX 50000

/* Recipients that one report has room for. */
#define DSN_RECIPIENTS_MAX 100

/* Enough for everything with an original of that size. */
#define DSN_SIZE_MAX (DSN_ORIGINAL_MAX + 16384 + DSN_RECIPIENTS_MAX * 4096)

/* The whole message with CRLF line ends. */
void dsn_write(struct buf *out, const struct dsn *d);

/* The header of a message, without the empty line; all of it when there is none. */
struct str dsn_header_of(struct str message);

/* What somebody who has written a message can do about this status (RFC 3463), in whole lines
 * without CRLF between them; empty: nothing that we know. */
struct str dsn_advice(enum dsn_action action, struct str status);
