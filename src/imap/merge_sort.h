/* Sorting numbers by what they stand for, while other sessions get their turn. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct imap_progress;

/* < 0, 0, > 0 as a belongs before, beside or behind b. */
typedef int imap_order_fn(const void *ctx, uint32_t a, uint32_t b);

/* Stable; n log n comparisons. 0, or the failure of the stream. */
int may_suspend must_check imap_merge_sort(struct imap_progress *p, uint32_t *v, size_t n,
					   imap_order_fn *order, const void *ctx);
