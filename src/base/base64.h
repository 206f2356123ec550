/* Base64 (RFC 4648 section 4) and hexadecimal. MIME bodies, with their line breaks, are mime's. */
#pragma once

#include "base/buf.h"

/* Append the encoding of s, padded, without line breaks. */
void base64_write(struct buf *out, struct str s);

/* Decode canonical, padded text into `out`. 0, or -EINVAL with *out as it was. */
int must_check base64_parse(struct str text, struct buf *out);

/* Lower-case hexadecimal. */
void hex_write(struct buf *out, struct str s);
int must_check hex_parse(struct str text, struct buf *out);
