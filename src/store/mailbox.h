/* Values of the mailbox service's messages (store/mailbox.ipc). */
#pragma once

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
