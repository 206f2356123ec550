/* One message of an APPEND or REPLACE on its way into the store (RFC 4466: append-message). */
#pragma once

#include "base/check.h"

struct imap_session;
struct str;
struct store_append;

enum imap_append_step {
	IMAP_APPEND_REFUSED, /* s->reply says why */
	IMAP_APPEND_TAKEN,
};

/* Flags, date and the message: as a literal, as one with NUL in it (RFC 3516), in UTF-8 (RFC 6855),
 * or put together from parts (RFC 4469). The bytes go from the stream to the store as they arrive.
 * enum imap_append_step, -EBADMSG, or the failure of the stream. */
int may_suspend must_check imap_append_message(struct imap_session *s, struct store_append *ap);

/* Begin to append to a mailbox, if the user may. 0; 1 when s->reply says why not. */
int may_suspend must_check imap_append_begin(struct imap_session *s, struct str name,
					     struct store_append **out);

/* Make what was appended visible and durable. *code becomes "APPENDUID 1 2:3". 0; -EBADMSG never;
 * 1 when s->reply says why not. Ends the append. */
int may_suspend must_check imap_append_finish(struct imap_session *s, struct store_append *ap,
					      struct str *code);
