/* Text in header fields beyond ASCII: encoded words (RFC 2047, with the language of RFC 2231 5).
 * Linked with the library mime_charset. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct mime_param;

/* Append an unfolded field value (or display name, or file name) as UTF-8 on one line: valid,
 * and with a space for every control character but tab. Never fails. Decodes what clients really
 * send: words inside quotes and other words, with blanks in them, longer than 75 bytes,
 * characters split between adjacent words, unencoded UTF-8. */
void mime_encoded_word_decode(struct str value, struct buf *out);

/* Append UTF-8 text as encoded words if it needs them, as it is if not. `column` is how much of
 * the line is taken already; lines are folded at 76. */
void mime_encoded_word_write(struct buf *out, struct str text, size_t column);

/* The value of a parameter as UTF-8 on one line: its charset converted, or encoded words, which
 * RFC 2047 forbids there and many clients send, decoded. */
void mime_param_text(const struct mime_param *p, struct buf *out);
