/* Text made comparable: without regard to case, in all of Unicode. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Append UTF-8 with every character's case folded. Bytes that are no UTF-8 become U+FFFD. */
void imap_fold_put(struct buf *out, struct str text);
