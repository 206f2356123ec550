/* The items of STATUS (RFC 3501 6.3.10, 9051 6.3.11; 7162, 7889, 8438, 8474), which LIST can ask
 * for too (RFC 5819). */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct err;
struct imap_box;
struct imap_lexer;
struct imap_session;

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UIDNEXT = 1 << 2,
	IMAP_STATUS_UIDVALIDITY = 1 << 3,
	IMAP_STATUS_UNSEEN = 1 << 4,
	IMAP_STATUS_SIZE = 1 << 5,
	IMAP_STATUS_DELETED = 1 << 6,
	IMAP_STATUS_MAILBOXID = 1 << 7,
	IMAP_STATUS_APPENDLIMIT = 1 << 8,
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 9,
	IMAP_STATUS_DELETED_STORAGE = 1 << 10,
};

/* A list of items in parentheses, as bits. */
int must_check imap_status_items_parse(struct imap_lexer *lx, unsigned *items);

/* The untagged response for one mailbox, which the user knows by this name. 0, or the store's
 * error: nothing was written. */
int may_suspend must_check imap_status_write(struct imap_session *s, const struct imap_box *box,
					     struct str name, unsigned items, struct err *err);
