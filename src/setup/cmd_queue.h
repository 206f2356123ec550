/* What the commands about the queue share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "queue/operator.h"
#include "setup/setup.h"

struct ipc_client;
struct operator_id;

/* Take "--json" out of the arguments. Was it there? */
bool queue_take_json(struct setup *s);

/* For queue_door_open: the list, as JSON when `json` is not NULL. */
enum setup_exit queue_list(struct setup *s, struct ipc_client *queue, void *json);

/* Print what the history knows of one message: as lines, or as a JSON array. */
void queue_trace_id(struct setup *s, uint64_t id, bool json);

/* What is to be done to which messages. */
struct queue_wish {
	enum operator_action action;
	const char *done; /* "Deleted": what is said with their number */

	/* These, which must all be there; NULL: all in some states (bits 1 << enum operator_state;
	 * 0: all). */
	struct operator_id *ids;
	size_t id_count;
	unsigned states;
};
enum setup_exit queue_act_on(struct setup *s, const struct queue_wish *wish);

/* Queue ids for a wish. False when one of the words is none, which has been said. */
bool must_check queue_parse_ids(struct setup *s, const struct str *words, size_t count,
				struct queue_wish *wish);

/* Try everything that waits for a domain now; empty: for any. */
enum setup_exit queue_flush(struct setup *s, struct str domain);
