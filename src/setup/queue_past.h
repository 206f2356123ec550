/* The history of the queue, as the server has written it. */
#pragma once

#include "base/map.h"
#include "queue/history.h"
#include "setup/setup.h"

struct err;

/* Call `each` for every line, in the order of time. 0, also where there is no history; -errno. */
typedef void queue_past_fn(void *ctx, const struct history_line *l);
int must_check queue_past_each(struct setup *s, queue_past_fn *each, void *ctx, struct err *err);

/* The same for one file of the history's directory. */
int must_check queue_past_file(struct setup *s, const char *name, queue_past_fn *each, void *ctx,
			       struct err *err);

/* Why a recipient waits: the last word of each that was deferred. */
struct queue_reasons {
	struct map by_recipient;
	struct arena arena;
};

void queue_reasons_load(struct queue_reasons *r, struct setup *s);
void queue_reasons_done(struct queue_reasons *r);

/* Empty when nothing is known. */
struct str queue_reasons_find(const struct queue_reasons *r, uint64_t id, struct str recipient);
