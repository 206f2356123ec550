/* Writing JSON (RFC 8259) into a buffer. Whatever bytes a value has, the result is valid, and safe
 * for a terminal: what is no UTF-8 becomes U+FFFD, and control characters of both sets (C0, C1) are
 * escaped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct json {
	struct buf *out;
	bool comma; /* something stands before the next member */
};

/* A value of its own in quotes. */
void json_write_string(struct buf *out, struct str s);

/* The same in pieces, without the quotes: `last` ends it. How many bytes of the piece were taken;
 * the others begin the next one. */
size_t json_write_piece(struct buf *out, struct str piece, bool last);

/* Members of what was opened last; `key` is NULL in arrays and for the outermost value. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_str(struct json *j, const char *key, struct str value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);

/* Left out when it is empty. */
void json_str_if(struct json *j, const char *key, struct str value);
