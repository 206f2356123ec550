/* Mailbox names as IMAP4rev1 sends them: modified UTF-7 (RFC 3501 5.1.3). */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

/* Append the UTF-8 of a name. -EINVAL, with *out as it was, unless it is the one valid encoding
 * of that text: two spellings of one mailbox must not pass for two mailboxes. The text may hold
 * control characters. The limit is that of *out. */
int must_check mime_utf7_decode(struct str name, struct buf *out);

/* Append the encoding of UTF-8 text. -EILSEQ, with *out as it was, when it is none. */
int must_check mime_utf7_encode(struct str text, struct buf *out);
