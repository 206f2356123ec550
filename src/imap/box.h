/* The mailboxes that commands name: the user's own, and those that other users share (RFC 4314):
 * "shared/alice@example.org/Work/2024" is Work.2024 of alice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "store/store.h"

struct imap_session;

#define IMAP_SHARED_PREFIX    "shared/"
#define IMAP_SHARED_SEPARATOR '/'

struct imap_box {
	struct store *store;
	struct str account; /* whose it is */
	struct str name;    /* in its store */
	uint32_t rights;    /* enum store_right */
	bool shared;
};

static inline bool imap_box_is_shared(struct str name)
{
	return str_starts(name, STR(IMAP_SHARED_PREFIX));
}

/* Where a mailbox is, if the user has these rights on it; own ones need not exist. 0; 1 when
 * s->reply says why not. */
int may_suspend must_check imap_box_find(struct imap_session *s, struct str name, uint32_t need,
					 struct imap_box *out);
/* The same for one that is to be made: the rights are those on the mailbox above it. */
int may_suspend must_check imap_box_find_new(struct imap_session *s, struct str name,
					     struct imap_box *out);

/* The answer when a right is missing, which must not tell of a mailbox that may not be known.
 * Returns 1. */
int imap_box_refuse(struct imap_session *s, uint32_t rights);

/* What others share with the user, with the levels above, by the names that the user sees. Without
 * anything to share it is empty. */
void may_suspend imap_box_list_shared(struct imap_session *s, struct store_box_list *out);

/* Subscriptions to them are notes of the user's own account: its subscription file has names that
 * can be mailboxes there. */
int must_check imap_box_subscribe_shared(struct imap_session *s, struct str name, bool on,
					 struct err *err);

/* An owner's rights have changed: let others find, or no longer find, what is theirs. */
int may_suspend must_check imap_box_publish(struct imap_session *s, const struct imap_box *box,
					    struct err *err);

/* Close the accounts of others. */
void imap_box_done(struct imap_session *s);
