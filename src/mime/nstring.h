/* Strings as IMAP responses hold them (RFC 3501 section 9). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* A string: quoted where that can hold it, else a literal. NUL, which neither can hold, becomes the
 * byte 0x80. */
void mime_string_write(struct buf *b, struct str s);

/* The same, or NIL for s.p == NULL. */
void mime_nstring_write(struct buf *b, struct str s);
