/* Identifiers that stay with a mailbox or a message wherever it goes (RFC 8474). */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* "(F0123...)", from a mailbox's GUID. */
void imap_object_id_write_mailbox(struct buf *b, const uint8_t guid[16]);

/* "M...", from a message's GUID: the same for all copies of it. */
void imap_object_id_write_email(struct buf *b, struct str guid);
