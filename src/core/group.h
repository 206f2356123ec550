/* A scope for fibers: whoever starts some waits for them before it leaves. */
#pragma once

#include <stddef.h>

#include "base/list.h"
#include "core/fiber.h"

struct group {
	struct list fibers;
	size_t count;
	struct waitq ended; /* somebody waits for the last one */
};

void group_init(struct group *g);

/* Wait until every fiber of the group has ended. 0, -ETIMEDOUT or -ECANCELED (they go on). */
int may_suspend must_check group_join(struct group *g, int64_t deadline);

void group_cancel(struct group *g);
/* fiber_interrupt each. */
void group_interrupt(struct group *g);

/* Cancel all, wait for all; cannot be interrupted. As a scope guard: auto_group. */
void may_suspend group_done(struct group *g);
#define auto_group __attribute__((cleanup(group_done)))
