/* Flags in commands (RFC 3501 section 9: flag-list). */
#pragma once

#include <stdint.h>

#include "base/check.h"

struct imap_lexer;
struct store_mark;

/* The system flags that somebody with these rights (enum store_right) may change. */
uint32_t imap_flags_allowed(uint32_t rights);

/* A list in parentheses, perhaps empty. \Recent is read and dropped: it is not the client's to
 * set. */
int must_check imap_flags_parse_list(struct imap_lexer *lx, struct store_mark *out);

/* The same, or flags without parentheses up to the end of the line (STORE). */
int must_check imap_flags_parse(struct imap_lexer *lx, struct store_mark *out);
