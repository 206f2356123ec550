/* Dates of SEARCH and APPEND (RFC 3501 section 9: date, date-time). Results as in imap/lexer.h. */
#pragma once

#include <stdint.h>

#include "base/check.h"

struct imap_lexer;
struct mime_date;

/* Days since the epoch. */
int must_check imap_lexer_date(struct imap_lexer *lx, int32_t *days);
int must_check imap_lexer_date_time(struct imap_lexer *lx, struct mime_date *out);
