/* Orders of earlier SORTs: most of a mailbox is as it was, so that only what is new has to be
 * put in its place. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct imap_found;
struct imap_sort_source;

/* order: the places of the messages among those found, in the order of the rules. False when that
 * has to be worked out. */
bool imap_sort_recall(struct imap_sort_source *t, const struct imap_found *found, uint32_t *order);

void imap_sort_remember(struct imap_sort_source *t, const struct imap_found *found,
			const uint32_t *order);
