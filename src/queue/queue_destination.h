/* Where mail to other servers goes next, one destination for each next hop: what waits for it, how
 * much it bears at a time, and whether it is there at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "queue/queue_room.h"
#include "queue/queue_urgency.h"

struct queue;
struct queue_job;

/* A destination has proved itself when it has answered, whatever it said, since it was last out of
 * reach. */
enum queue_trust {
	QUEUE_UNPROVEN,
	QUEUE_PROVEN,
	QUEUE_TRUSTS,
};

/* A server that is busy may be less so after this time; then after twice as long each time. */
#define QUEUE_REST_MS 5000

struct queue_destination {
	struct queue_room room;
	struct list ready; /* in queue.destinations.ready, when it may have a call more */
	struct list idle;  /* in queue.destinations.idle, when nothing waits or is in flight */
	struct list turns[QUEUE_URGENCIES]; /* struct queue_sender with jobs */
	unsigned turn;
	enum queue_trust trust;
	double window; /* calls that it may have in flight */
	unsigned in_flight;
	int64_t dead_until; /* loop time; 0: it is not */
	int64_t dead_pause; /* how long the last time; 0: never */
	int64_t rest_pause; /* the same, when all that is wrong is that it is busy */
	char reason[160];   /* of its death, for the log */
	struct str nexthop; /* with the destination on the heap */
};

/* The jobs of one source for a destination, in order. */
struct queue_sender {
	struct list turn; /* in its destination */
	struct list jobs; /* struct queue_job */
	struct queue_sender_key {
		struct queue_destination *destination;
		uint64_t source;
	} key;
};

struct queue_destinations {
	struct map by_nexthop;
	struct map senders;				  /* by key */
	struct list ready[QUEUE_TRUSTS][QUEUE_URGENCIES]; /* by the most urgent that waits */
	unsigned in_flight[QUEUE_TRUSTS];
	unsigned turn; /* enum queue_trust: whose turn it is */
	unsigned urgency_turn;
	struct list idle; /* the longest idle first */
	size_t idle_count;
};

void queue_destinations_init(struct queue_destinations *t);
void queue_destinations_done(struct queue_destinations *t);

/* Known or new. It stays while it has jobs, parked mail or something to remember. */
struct queue_destination *queue_destination_of(struct queue *q, struct str nexthop);

/* Nobody is there: mail for it is not tried before dead_until. */
bool queue_destination_is_dead(const struct queue_destination *d);

bool queue_destination_has_jobs(const struct queue_destination *d);

/* A job of this source waits for the destination. */
void queue_destination_add(struct queue *q, struct queue_destination *d, struct queue_job *job);

/* The destination whose turn it is, with a job that waits, or NULL: all who have one have as many
 * calls as they may. The caller takes jobs and begins a call, or calls queue_destination_ready. */
struct queue_destination *queue_destination_next(struct queue *q);

/* Take jobs of one message from the sender whose turn it is, at most `max`. The number; then the
 * next sender has its turn. */
size_t queue_destination_take(struct queue *q, struct queue_destination *d, struct queue_job **jobs,
			      size_t max);

/* A call begins, or has ended with this news about the destination (enum courier_trouble, or
 * negative: nothing is known). */
void queue_destination_begin(struct queue *q, struct queue_destination *d);
void queue_destination_end(struct queue *q, struct queue_destination *d, int trouble,
			   struct str reason);

/* Let every dead one be tried once more, now: by one call, which finds out. */
void queue_destinations_wake(struct queue *q);

/* It is there again. */
void queue_destination_revive(struct queue *q, struct queue_destination *d);
