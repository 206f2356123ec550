/* Pieces of a response (RFC 3501 section 9), appended to a buffer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "mime/nstring.h"

/* A string, or NIL for s.p == NULL (see mime/nstring.h). */
static inline void imap_write_string(struct buf *b, struct str s)
{
	mime_string_write(b, s);
}

static inline void imap_write_nstring(struct buf *b, struct str s)
{
	mime_nstring_write(b, s);
}

/* A mailbox name, given in UTF-8: as it is, or in modified UTF-7 (RFC 3501 5.1.3). */
void imap_write_mailbox(struct buf *b, struct str name, bool utf8);

/* "17-Jul-1996 02:44:25 +0000", in quotes. */
void imap_write_date_time(struct buf *b, int64_t seconds);

/* The flags of a message in parentheses; flags as in enum store_flag, keywords by their bits. */
struct imap_keywords {
	const struct str *names;
	unsigned n;
};
void imap_write_flags(struct buf *b, uint32_t flags, uint64_t keywords,
		      const struct imap_keywords *known);
