/* BINARY (RFC 3516): the contents of a part without its transfer encoding. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "imap/message.h"
#include "mime/transfer.h"

struct imap_session;

struct imap_binary {
	struct imap_piece piece; /* as it is in the message; NIL when there is no such part */
	enum mime_encoding encoding;
	uint64_t size; /* decoded, within what was asked for */
	bool has_nul;  /* in there: it must go out as a literal8 */
	uint64_t from; /* of the decoded bytes, what was asked for */
};

/* Find the part and its encoding. -ENOTSUP for an encoding that is not known (UNKNOWN-CTE), or as
 * imap_message_locate. */
int must_check imap_binary_locate(struct imap_message *m, const struct imap_section *section,
				  struct imap_binary *out);

/* Decode once to know size and kind of [from, from + length). */
int may_suspend must_check imap_binary_measure(struct imap_session *s, struct imap_message *m,
					       uint64_t from, uint64_t length,
					       struct imap_binary *b);

/* Decode again, and send exactly the bytes that were measured. */
int may_suspend must_check imap_binary_send(struct imap_session *s, struct imap_message *m,
					    const struct imap_binary *b);
