/* Sets of message sequence numbers or UIDs (RFC 3501 section 9: sequence-set). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct buf;

#define IMAP_SEQSET_STAR UINT32_MAX /* "*": the largest number in use, whatever that is */

struct imap_range {
	uint32_t first, last;
};

struct imap_seqset {
	struct imap_range *ranges;
	size_t count;
};

/* Parse "2,4:7,9,12:*". The ranges are as written, "*" is IMAP_SEQSET_STAR. 0, -EINVAL (syntax, or
 * the number 0), -E2BIG (more than max_ranges). */
int must_check imap_seqset_parse(struct str s, struct arena *a, size_t max_ranges,
				 struct imap_seqset *out);

/* Replace "*" by the largest number, order every range and the set, merge what touches. Numbers
 * above `largest` stay. With largest == 0 nothing is in use: "*" disappears. */
void imap_seqset_resolve(struct imap_seqset *set, uint32_t largest);

/* On a resolved set. */
bool imap_seqset_contains(const struct imap_seqset *set, uint32_t n);

/* Append n, larger than all before, to a set that is being built for output. */
struct imap_seqset_writer {
	struct buf *out;
	struct imap_range open; /* first == 0: none */
	bool any;
};
void imap_seqset_add(struct imap_seqset_writer *w, uint32_t n);
void imap_seqset_finish(struct imap_seqset_writer *w);
