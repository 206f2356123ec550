/* PARTIAL (RFC 9394): some of many, by their positions from the beginning or from the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct buf;
struct imap_lexer;

struct imap_partial {
	bool from_end;
	uint32_t first, last; /* as written */
};

/* " 1:500" or " -1:-100" */
int must_check imap_partial_parse(struct imap_lexer *lx, struct imap_partial *out);
void imap_partial_write(struct buf *b, const struct imap_partial *p);

/* Which of n: *count of them from *from on. */
void imap_partial_window(const struct imap_partial *p, size_t n, size_t *from, size_t *count);
