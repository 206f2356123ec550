/* ENVELOPE (RFC 3501 7.4.2): the header of a message, parsed. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct arena;

/* Write the envelope of a header (a message will do), with its parentheses. */
void mime_envelope_write(struct buf *b, struct str header, struct arena *a);
