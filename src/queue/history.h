/* The history of the queue: one line for each message that came in, each attempt at a recipient and
 * each thing that a person did. Tab-separated, so that it can be read without us:
 *
 *   milliseconds since 1970, queue id, kind, and four to six fields as the kind says.
 *
 * Kept for questions, not for delivery: nothing depends on it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;

#define HISTORY_DIR	   "queue-history" /* in the state directory */
#define HISTORY_CURRENT	   "current"
#define HISTORY_OLD	   "old"
#define HISTORY_SUPPRESSED "suppressed" /* addresses that are refused, one line each */
#define HISTORY_FIELDS	   5
#define HISTORY_LINE_MAX   8192

/* The fields of a message that came in: sender, Message-ID, size, client, login. */
enum history_received {
	HISTORY_SENDER,
	HISTORY_MESSAGE_ID,
	HISTORY_SIZE,
	HISTORY_CLIENT,
	HISTORY_LOGIN,
};

/* Of an attempt ("sent", "deferred", "bounced"), and of what else happens to a message: words of
 * what happened in HISTORY_TEXT. */
enum history_attempt {
	HISTORY_RECIPIENT,
	HISTORY_RELAY,
	HISTORY_TLS,
	HISTORY_STATUS,
	HISTORY_TEXT,
};

struct history_line {
	int64_t time_ms;
	uint64_t id;
	struct str kind; /* "received", "sent", "deferred", "bounced", "note" */
	struct str fields[HISTORY_FIELDS];
};

/* Append a line with its LF. What is no printable text in a field is written as \xHH. */
void history_write(const struct history_line *l, struct buf *out);

/* A line without its LF; fields live in `a`. False when it is none. */
bool history_parse(struct str line, struct arena *a, struct history_line *out);
