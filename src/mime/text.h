/* The text of a message as searches see it: encodings and charsets decoded, HTML as it is shown,
 * folded (mime_fold_put), with LF as line ends. Linked with mime_charset. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct mime_structure;

enum mime_text_place {
	MIME_TEXT_HEAD, /* fields of headers, each with its name */
	MIME_TEXT_BODY, /* text parts, and the headers of messages within */
};

/* Takes the next piece; `end`: what follows is another text. False: nothing more is wanted. */
typedef bool mime_text_fn(void *ctx, enum mime_text_place place, struct str folded, bool end);

/* The fields of one header, and all of a message. False when *put wanted no more. Fields that hold
 * signatures, which nobody reads, are left out. */
bool mime_text_header(struct str header, enum mime_text_place place, mime_text_fn *put, void *ctx);
bool mime_text_message(struct str message, const struct mime_structure *st, bool heads,
		       mime_text_fn *put, void *ctx);
