/* COPY into another account's mailbox: the messages are read and written again. */
#pragma once

#include "base/check.h"

struct err;
struct imap_box;
struct imap_seqset;
struct imap_session;
struct store_copied;

/* All messages or none, on disk when it returns, with what flags the user may set there. 0, or the
 * store's failure. */
int may_suspend must_check imap_copy_across(struct imap_session *s, const struct imap_seqset *seqs,
					    const struct imap_box *to, struct store_copied *out,
					    struct err *err);
