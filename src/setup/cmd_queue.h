/* What the commands about the queue share. */
#pragma once

#include "queue/operator.h"
#include "setup/setup.h"

struct ipc_client;

/* For queue_door_open: the list, as JSON when `json` is not NULL. */
enum setup_exit queue_list(struct setup *s, struct ipc_client *queue, void *json);

/* Print what the history knows of one message. */
void queue_trace_id(struct setup *s, uint64_t id);

/* Do this to the messages of `args`, queue ids or "all"; the number in the words of `done`. */
enum setup_exit queue_act_on(struct setup *s, enum operator_action action, struct str *args,
			     unsigned count, const char *done);

/* Do this to all messages in some of the queues: bits 1 << enum operator_state. */
enum setup_exit queue_act_where(struct setup *s, enum operator_action action, unsigned states,
				const char *done);

/* Try everything that waits for a domain now; empty: for any. */
enum setup_exit queue_flush(struct setup *s, struct str domain);
