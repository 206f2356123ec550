/* The text of `dovecot-acl`: a line for each identifier, "user=bob@example.org lrwst", perhaps with
 * '-' in front for rights that are taken away. Rights are letters; behind ':' they are Dovecot's
 * words for them. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "store/store.h"

struct arena;

/* Strings and entries are in `a`. Returns the number of lines that could not be read and are left
 * out: what they would have allowed is not. */
unsigned acl_file_parse(struct str text, struct arena *a, struct store_acl *out);

void acl_file_write(struct buf *out, const struct store_acl *acl);
