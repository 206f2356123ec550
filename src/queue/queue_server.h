/* The queue service: accepts mail into the journal, delivers it to the mailbox workers, and
 * marks what is finished. One per machine; runs on the loop of its process. See README.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "core/ipc.h"

struct err;
struct journal_io;
struct queue;

#define QUEUE_WORKERS_MAX 64

struct queue_config {
	const char *dir;	     /* of the journal */
	const struct journal_io *io; /* NULL: the system's */
	uint64_t segment_size;	     /* 0: the journal's default */

	/* One commit takes at most so much; 0: the default. And it waits so long for more to
	 * come. */
	unsigned commit_messages;
	uint64_t commit_bytes;
	int64_t commit_wait;

	int64_t wall_usec; /* the time at the start, since 1970; 0: ask the system */
	struct str fqdn;   /* of reports to senders; outlives the queue */
	bool signs;	   /* these reports, by the filter */
	unsigned workers;  /* mailbox workers */

	/* 0 takes the default for each of these. Times in ms. */
	unsigned active_max;	 /* messages whose envelopes are in memory: 10,000 */
	unsigned worker_calls;	 /* deliveries in flight to one worker: 8 */
	int64_t checkpoint_ms;	 /* from the first delivery: 2,000 */
	unsigned checkpoint_at;	 /* or after so many deliveries: 1,000 */
	int64_t retry_min;	 /* 10,000, then twice as long each time */
	int64_t retry_max;	 /* 4,000,000 */
	int64_t lifetime;	 /* then the sender is told: 5 days */
	int64_t bounce_lifetime; /* of mail without a sender: 5 days */
	int64_t delay_warning;	 /* the sender is told that it takes long; 0: not at all */

	const char *history_dir; /* NULL, or a size of 0: no history is kept */
	uint64_t history_size;	 /* of its files together */
	int64_t suppress; /* an address that does not exist is refused for so long; 0: not at all */

	struct str default_relay, agent; /* as DEFAULT_RELAY_HOST and POSTFIX_DAGENT; or empty */
	unsigned courier_calls;		 /* deliveries in flight to other servers: 500 */
	unsigned window_first;		 /* of these, to one destination in the beginning: 5 */
	unsigned window_max;		 /* and at most: 20 */
	int64_t remote_retry_min;	 /* 300,000; twice as long each time up to retry_max */
};

/* Open the journal, read it, start delivering. 0; -EBUSY: another process has the journal;
 * -errno. */
int may_suspend must_check queue_start(const struct queue_config *config, struct queue **out,
				       struct err *err);

/* Connections to the mailbox workers, to auth, to the filter and to the courier, taken; again
 * whenever one of them was restarted. */
void queue_attach_worker(struct queue *q, unsigned worker, int fd);
void queue_attach_auth(struct queue *q, int fd);
void queue_attach_filter(struct queue *q, int fd);
void queue_attach_courier(struct queue *q, int fd);

/* Bring the gauges of metrics.def up to date. Returns why mail cannot be taken at the moment, or
 * empty; valid until the next call. */
struct str queue_trouble(struct queue *q);

/* What answers queue.submit and the other calls: for ipc_serve. */
struct ipc_server queue_ipc_server(struct queue *q);

/* What answers operator.ipc. */
struct ipc_server queue_operator_server(struct queue *q);

/* Accept nothing more, finish what is in flight, make it durable and mark it. 0, or -ETIMEDOUT:
 * the rest is delivered again after the next start. */
int may_suspend must_check queue_drain(struct queue *q, int64_t deadline);

/* End all fibers and free everything. The calls on queue_ipc_server have ended. */
void may_suspend queue_stop(struct queue *q);
