/* The text of dovecot-keywords: "<index> <keyword>" lines; index 0 is the letter 'a' in file
 * names. */
#pragma once

#include "base/buf.h"
#include "store/keywords.h"

struct arena;

/* The names come from `a`. Returns the number of lines that were wrong and are left out: no
 * index, no keyword, an index that has no letter, used twice. */
unsigned keyword_file_parse(struct str text, struct arena *a, struct keyword_table *out);
void keyword_file_write(struct buf *out, const struct keyword_table *t);
