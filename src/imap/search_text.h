/* Looking for words in a message, as its reader sees it: transfer encodings and charsets decoded,
 * without regard to case. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct imap_message;

/* `text` is folded (mime/fold.h). 1 when it was found, 0 when not, or the error of reading the
 * message. */

/* In any field of that name; an empty text is in every one. The first looks at a header that is at
 * hand. */
int must_check imap_search_header_text(struct str header, struct str field, struct str text);
int must_check imap_search_header(struct imap_message *m, struct str field, struct str text);

/* In the text parts of the body; with `headers` in all the headers too. */
int must_check imap_search_body(struct imap_message *m, struct str text, bool headers);
