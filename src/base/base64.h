/* Base64 (RFC 4648 section 4) and hexadecimal. MIME bodies, with their line breaks, are mime's. */
#pragma once

#include "base/buf.h"

/* Append the encoding of s, padded, without line breaks. */
void base64_write(struct buf *out, struct str s);

/* Append what canonical, padded text stands for. 0; -EINVAL for other text, with *out as it was;
 * -ENOBUFS when it does not fit, with *out failed. */
int must_check base64_parse(struct str text, struct buf *out);

/* Lower-case hexadecimal. */
void hex_write(struct buf *out, struct str s);

/* Either case; results as above. */
int must_check hex_parse(struct str text, struct buf *out);
