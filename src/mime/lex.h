/* What the structured header fields have in common (RFC 5322 3.2): comments, quoted strings,
 * tokens. All of it works on raw values, where a fold is just white space. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* Offset behind the quoted string or comment that begins at s.p[at], or s.n when it has no end.
 * Comments nest; a backslash quotes the next byte. */
size_t mime_lex_enclosed(struct str s, size_t at);

/* A quoted string or comment without its delimiters; the closing one may be missing. */
struct str mime_lex_inside(struct str enclosed);

/* Without white space and comments at the front. */
struct str mime_lex_skip_cfws(struct str s);

/* Offset of the first byte of `stops` outside quoted strings and comments, or s.n. */
size_t mime_lex_find(struct str s, const char *stops);

/* Append the inside of a quoted string: backslashes resolved, line ends and other controls
 * dropped, a tab as a space. */
void mime_lex_unquote(struct buf *out, struct str inside);

/* The token of RFC 2045 5.1 at the front, empty when there is none; bytes above 0x7f are let
 * through. */
struct str mime_lex_token(struct str s);

/* strchr for a byte that may be NUL. */
bool mime_lex_is_in(const char *set, char c);
