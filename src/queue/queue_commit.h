/* Group commit for fibers: whoever has something to write waits here, and one fiber writes
 * everything that waits with one sync while the next batch collects. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "core/fiber.h"
#include "queue/journal.h"

struct queue;
struct queue_append;

typedef void queue_committed_fn(struct queue *q, struct queue_append *a);

/* A record on its way. On the heap with everything it refers to: a fiber that is cancelled while
 * it waits may leave, the record goes on. */
struct queue_append {
	struct journal_append append;
	struct arena arena;	   /* of the pieces */
	int body;		   /* descriptor of a piece, or -1 */
	struct queue_entry *entry; /* whose record this is; for `committed` */
	queue_committed_fn
		*committed; /* on the loop, right after the commit, whatever came of it */
	struct fiber *waiter;
	bool done;
};

struct queue_commit {
	struct queue *queue;
	struct journal *journal;
	unsigned messages_max;
	uint64_t bytes_max;
	int64_t wait;

	struct list waiting; /* struct queue_append.append.link */
	struct list loose;   /* the same: written, and not durable yet */
	int64_t sync_at;     /* when they are to be, at the latest */
	bool hurry;	     /* somebody waits for what waits to be written */
	bool sync_now;
	struct waitq work;
	struct waitq idle;
	bool tidy; /* a segment may have become free */
	bool writing;
	int64_t last_report;
	int64_t last_failure; /* 0: never; and what it was */
	struct err failure;
	uint64_t commits, syncs, messages; /* so far */
};

struct queue_append *queue_append_new(enum journal_type type, uint64_t id);
void queue_append_piece(struct queue_append *a, struct journal_piece piece);

/* Write it sometime soon; freed after `committed`. A relaxed one outlives the process from then on,
 * and a power cut with the next record that somebody waits for, or a little later. */
void queue_commit_post(struct queue_commit *c, struct queue_append *a);

/* Write it and wait until it is durable; freed. The record's result, or -ECANCELED: unknown. */
int may_suspend must_check queue_commit_wait(struct queue_commit *c, struct queue_append *a);

/* Look whether segments can go, even when nothing is to be written. */
void queue_commit_tidy(struct queue_commit *c);

/* Wait until nothing waits to be written or to be durable. 0, -ETIMEDOUT, -ECANCELED. */
int may_suspend must_check queue_commit_flush(struct queue_commit *c, int64_t deadline);

/* The fiber. Ends when cancelled; what still waits then fails. */
void queue_commit_run(void *commit);
