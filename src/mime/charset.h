/* Text in any charset to UTF-8. US-ASCII, UTF-8, ISO-8859-1 and Windows-1252 are built in, ICU
 * knows the others; linked only with the library mime_charset. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Longest name that is looked up. */
#define MIME_CHARSET_NAME_MAX 60

enum mime_charset_kind {
	MIME_CHARSET_UTF8, /* US-ASCII and unknown charsets too */
	MIME_CHARSET_WINDOWS_1252,
	MIME_CHARSET_ICU,
};

/* Never fails: a byte that means nothing becomes U+FFFD, and what is written is valid UTF-8.
 * Text in an unknown charset is read as UTF-8, which it most often is. ISO-8859-1 is read as
 * Windows-1252, its superset for text, which it most often is. */
struct mime_charset {
	enum mime_charset_kind kind;
	void *icu;
	uint32_t high_surrogate; /* of a pair from ICU, or 0 */
	size_t n_pending;	 /* of a UTF-8 sequence */
	char pending[4];
};

void mime_charset_open(struct mime_charset *c, struct str name);
void mime_charset_close(struct mime_charset *c);
#define auto_charset __attribute__((cleanup(mime_charset_close)))

/* Convert the next piece of a text; characters may be split between pieces. Finish writes what
 * the end cut off, and the converter may begin another text. */
void mime_charset_put(struct mime_charset *c, struct str piece, struct buf *out);
void mime_charset_finish(struct mime_charset *c, struct buf *out);

/* All at once. */
void mime_charset_to_utf8(struct str name, struct str text, struct buf *out);

/* For IMAP SEARCH, which refuses charsets it does not know. */
bool mime_charset_is_known(struct str name);
