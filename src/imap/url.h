/* URLs of messages on this server (RFC 5092), as CATENATE takes them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;

struct imap_url {
	struct str mailbox;   /* UTF-8; p == NULL: the selected one */
	uint32_t uidvalidity; /* 0: not given */
	uint32_t uid;
	struct str section; /* what stands in BODY[...], empty: the whole message */
	bool is_partial;
	uint32_t offset, length; /* of a partial URL; length 0: to the end */
};

/* Relative URLs only: another server's messages are not ours to fetch, and which names this one has
 * the client knows better. Strings are in `a`. -EINVAL. */
int must_check imap_url_parse(struct str text, struct arena *a, struct imap_url *out);
