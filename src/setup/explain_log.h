/* What the log of the server says about a message. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "setup/setup.h"

#define EXPLAIN_LOG_MAX 40 /* lines; the first ones say where it came from */

struct explain_log {
	struct str lines[EXPLAIN_LOG_MAX];
	size_t count;
};

/* The lines with a queue id. */
void explain_log_read(struct setup *s, uint64_t id, struct explain_log *out);

/* The queue id of a Message-ID: of a message that was refused, which is in no history, or of one
 * that came just now. 0: there is none. */
uint64_t explain_log_find(struct setup *s, struct str message_id);
