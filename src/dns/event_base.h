/* The event loop that libunbound works in: descriptors and timers of its own, driven by one fiber.
 *
 * libunbound brings an interface for loops of others (unbound-event.h). Its descriptors are in an
 * epoll instance of their own, which is one descriptor to the loop of the process; so libunbound
 * runs in the process's thread, and its answers come without pipes or locks. */
#pragma once

#include "base/check.h"

struct group;
struct ub_event_base;

struct event_base;

struct event_base *event_base_new(void);

/* Every context that uses it is gone, and the fiber has ended. */
void event_base_free(struct event_base *b);

/* What ub_ctx_create_ub_event wants. */
struct ub_event_base *event_base_handle(struct event_base *b);

/* Start the fiber. 0 or -EAGAIN. */
int must_check event_base_start(struct event_base *b, struct group *g);
