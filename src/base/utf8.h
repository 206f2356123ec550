/* UTF-8 (RFC 3629). */
#pragma once

#include "base/buf.h"

/* Take one code point off the front of *s. -EILSEQ for anything RFC 3629 does not allow (overlong
 * forms, surrogates, above U+10FFFF, cut short), consuming one byte; -ENODATA at the end. */
int must_check utf8_next(struct str *s, uint32_t *cp);

bool utf8_is_valid(struct str s);

/* Append a code point; U+FFFD for one that cannot be encoded. */
void utf8_put(struct buf *out, uint32_t cp);
