/* One account's mailboxes, opened by a command while the server may be running: what the server
 * keeps in its indexes it keeps to itself, everything else goes by the locks on disk. */
#pragma once

#include "setup/setup.h"
#include "store/store.h"

struct mailbox_account {
	struct setup *setup;
	struct str address, path;
	struct store_pool *pool;
	struct store *store;
	unsigned findings; /* told by the store */
};

/* The account of the first argument. What the store finds on the way is printed. SETUP_ERROR: the
 * reason has been said. */
enum setup_exit mailbox_account_open(struct setup *s, struct mailbox_account *out);
void mailbox_account_close(struct mailbox_account *m);

/* The mailboxes that a command is about: the one named by argument `i`, or all that exist. */
enum setup_exit mailbox_account_names(struct mailbox_account *m, unsigned i,
				      struct store_box_list *out);
