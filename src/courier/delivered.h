/* What was delivered lately, and what is on its way: a queue that was killed in the middle asks
 * again for what it got no answer to, and the other server shall not get it twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/map.h"
#include "core/fiber.h"
#include "courier/courier_ipc.h"

struct arena;

struct delivered {
	struct map by_key;
	struct list all;    /* the oldest first */
	struct map running; /* keys of the recipients on their way */
	struct waitq ended;
};

/* A call on its way, from begin to end. */
struct delivered_call {
	struct str *keys;
	size_t count;
};

void delivered_init(struct delivered *d);
void delivered_done(struct delivered *d);

/* Wait until no other call is about a recipient of this one, then be on the way; `a` lives until
 * the end. 0, -ECANCELED. */
int may_suspend must_check delivered_begin(struct delivered *d, struct delivered_call *call,
					   const struct courier_deliver_in *in, struct arena *a);
void delivered_end(struct delivered *d, struct delivered_call *call);

/* The same for one recipient of a call, by its key there. NULL: it was not delivered lately. The
 * strings live until the next delivered_add. */
const struct courier_result *delivered_find(const struct delivered *d, struct str key);
void delivered_add(struct delivered *d, struct str key, const struct courier_result *result);
