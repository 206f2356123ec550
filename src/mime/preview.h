/* The first words of a message, for lists of messages (RFC 8970). Linked with mime_charset. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct mime_structure;

#define MIME_PREVIEW_CHARS 200

/* Append up to MIME_PREVIEW_CHARS characters of UTF-8 on one line: of the first text that is shown,
 * plain text before HTML, what was quoted only if there is nothing else. Nothing for a message
 * without text. Looks at the first bytes of a part only. */
void mime_preview_write(struct buf *out, struct str message, const struct mime_structure *st,
			struct arena *a);
