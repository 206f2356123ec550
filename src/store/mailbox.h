/* Values of the mailbox service's messages (store/mailbox.ipc). */
#pragma once

#include "base/str.h"

enum mailbox_outcome {
	MAILBOX_DELIVERED, /* written, or found from an earlier delivery */
	MAILBOX_TRY_AGAIN, /* over quota with a soft answer, no space, a lock: later perhaps */
	MAILBOX_REFUSED,   /* never: the sender gets a bounce */
};

enum mailbox_protocol {
	MAILBOX_IMAP,
	MAILBOX_POP3,
	MAILBOX_MANAGESIEVE,
};

/* Which of the workers serves an account (in lower case). Everybody who calls the service asks
 * here: delivery and sessions of one account meet in one process. */
static inline unsigned mailbox_worker(struct str account, unsigned workers)
{
	return (unsigned)(str_hash(account, 0) % workers);
}
