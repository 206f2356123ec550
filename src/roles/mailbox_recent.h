/* What this process has delivered of late. When the queue's process dies it forgets that, and asks
 * for the same deliveries again; a client may have moved or expunged the messages since. */
#pragma once

#include <stdbool.h>

struct mailbox_deliver_in;

void mailbox_recent_init(void);
void mailbox_recent_done(void);

/* This was delivered. */
void mailbox_recent_add(const struct mailbox_deliver_in *in);

/* Was it, since the checkpoint before the last? */
bool mailbox_recent_has(const struct mailbox_deliver_in *in);

/* A checkpoint covers what was delivered until now; what the one before covered is marked. */
void mailbox_recent_checkpoint(void);

/* A sync failed: nothing is known of anything. */
void mailbox_recent_forget(void);
