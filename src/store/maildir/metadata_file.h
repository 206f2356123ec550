/* The text of `posthorn-metadata`: what clients noted about mailboxes and the account (RFC 5464). A
 * line for each entry: mailbox, name and value, with a tab between them; other controls, tabs and
 * '%' are %XX. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "store/store.h"

struct arena;

/* Strings and entries are in `a`. Returns the number of lines that could not be read and are left
 * out. */
unsigned metadata_file_parse(struct str text, struct arena *a, struct store_meta_list *out);

void metadata_file_write(struct buf *out, const struct store_meta_list *l);
