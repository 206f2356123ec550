/* UIDs in response codes (RFC 4315: uid-set). */
#pragma once

#include "base/buf.h"

struct store_uids;

/* "1:4,7" */
void imap_uids_write(struct buf *b, const struct store_uids *uids);
