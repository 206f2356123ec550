/* How many connections each address has open: one address (IPv6: one /64, which is what a single
 * customer has) must not take all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct smtp_known;
struct smtp_throttle;

struct smtp_throttle *smtp_throttle_new(size_t per_address, size_t total);
void smtp_throttle_free(struct smtp_throttle *t); /* nobody is in */

enum smtp_throttle_verdict {
	SMTP_THROTTLE_OK,
	SMTP_THROTTLE_ADDRESS, /* too many from this address */
	SMTP_THROTTLE_TOTAL,   /* too many */
};

/* Who has waited for its greeting. */
struct smtp_known *smtp_throttle_known(struct smtp_throttle *t);

/* Count a connection in. It is counted whatever the verdict says: every enter has its leave. */
enum smtp_throttle_verdict smtp_throttle_enter(struct smtp_throttle *t, const char *address);
void smtp_throttle_leave(struct smtp_throttle *t, const char *address);

/* How many are in: from the same place as this address, and from everywhere. */
size_t smtp_throttle_count(const struct smtp_throttle *t, const char *address);
size_t smtp_throttle_total(const struct smtp_throttle *t);
