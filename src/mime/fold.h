/* Text made comparable without regard to case, in all of Unicode. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Append UTF-8 as it is looked for in: capitals, compatibility forms resolved, letters without
 * their accents, so that "MULLER" is found in "Müller". Bytes that are no UTF-8 become U+FFFD. A
 * part of a text gives the same part of the folded text. */
void mime_fold_put(struct buf *out, struct str text);

/* Append UTF-8 as it is sorted: the collation i;unicode-casemap (RFC 5051). */
void mime_collate_put(struct buf *out, struct str text);
