/* What stands behind the items of a FETCH (RFC 4466 2.4): which of the messages are asked for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "imap/partial.h"

struct imap_session;

struct imap_fetch_modifiers {
	uint64_t changed_since; /* RFC 7162 3.1.4; 0: whenever they changed */
	bool since;		/* it was given */
	bool vanished;		/* and what was expunged since then */
	bool is_partial;	/* RFC 9394 3.2 */
	struct imap_partial partial;
};

/* Perhaps a space and a list in parentheses. */
int must_check imap_fetch_modifiers_parse(struct imap_session *s, struct imap_fetch_modifiers *out);
