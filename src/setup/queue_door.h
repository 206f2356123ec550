/* The queue of the running server, through the socket in its state directory. */
#pragma once

#include "queue/operator.h"
#include "queue/operator_ipc.h"
#include "setup/setup.h"

struct ipc_client;

/* Run `fn` in a fiber with a connection to the queue; NULL for one that is not there, which
 * `optional` allows and otherwise is the end. Returns what fn returned. */
typedef enum setup_exit queue_door_fn(struct setup *s, struct ipc_client *queue, void *arg);
enum setup_exit queue_door_open(struct setup *s, bool optional, queue_door_fn *fn, void *arg);

/* The ids of what is in some states (bits 1 << enum operator_state; 0: all), the oldest first; in
 * `s->arena`. 0, or -errno with the reason. */
struct queue_ids {
	struct operator_id *v;
	size_t count;
};
int must_check queue_door_ids(struct setup *s, struct ipc_client *queue, unsigned states,
			      struct queue_ids *out, struct err *err);

/* Call `each` for every message, the oldest first. The strings live until it returns. 0, or the
 * first negative result, with the reason. */
typedef int queue_each_fn(void *ctx, const struct operator_message *m,
			  const struct operator_recipient *recipients, struct err *err);
int must_check queue_door_each(struct setup *s, struct ipc_client *queue, queue_each_fn *each,
			       void *ctx, struct err *err);

/* One message. 0, -ENOENT. */
int must_check queue_door_find(struct ipc_client *queue, uint64_t id, queue_each_fn *each,
			       void *ctx, struct err *err);
