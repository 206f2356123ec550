/* The queue with everybody it talks to, under a clock that jumps: mailbox workers, a courier and
 * auth that do as the test says, and a front that submits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fixture.h"

#include "courier/courier.h"
#include "courier/courier_ipc.h"
#include "queue/envelope.h"
#include "queue/queue_ipc.h"
#include "queue/queue_server.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"

#define WORLD_WORKERS 2

/* One delivery that a worker was asked for. */
struct world_delivery {
	uint64_t id;
	char address[128], account[128], original[128], sender[128];
	char *content;
	size_t length;
	uint32_t part;
	bool replay;
	int64_t at; /* ms since the world began */
	unsigned worker;
};

/* One recipient of a call to the courier. */
struct world_shipment {
	uint64_t id;
	char nexthop[128], address[128], sender[128];
	char *content;		/* of the call's first recipient */
	size_t position, count; /* in its call */
	uint32_t notify;
	int64_t at;
};

struct world;

/* What a worker does with a delivery: an outcome, or -errno for the call. */
typedef int world_script(struct world *w, const struct mailbox_deliver_in *in);

/* What the courier does with one recipient: an outcome, or -errno for the whole call. It may set
 * out->trouble. */
typedef int world_courier_script(struct world *w, const struct courier_deliver_in *in,
				 const struct courier_recipient *r,
				 struct courier_deliver_out *out);

struct world_worker {
	struct world *world;
	unsigned index;
	int fd; /* of the server's end, to break it */
	unsigned checkpoints;
	char inherited[128]; /* one account of the last checkpoint, or empty */
};

struct world {
	struct queue_config config;
	struct queue *queue;
	struct group servers, clients;
	struct ipc_client *front, *operators;
	struct world_worker workers[WORLD_WORKERS];

	world_script *script; /* NULL: everything is delivered */
	int64_t slow_ms;      /* each delivery takes so long */
	int checkpoint_result;
	int64_t checkpoint_slow_ms;
	int resolve_result;

	world_courier_script *courier_script; /* NULL: everything is delivered */
	int64_t (*courier_slow)(struct world *w, const struct courier_deliver_in *in); /* ms */
	int courier_fd;
	struct world_shipment *shipments;
	size_t shipment_count;
	unsigned calls, calls_max; /* at a time */
	struct str relay;	   /* what auth says of everybody's */
	unsigned relay_questions;
	int64_t relay_slow_ms; /* each question takes so long */

	struct world_delivery *deliveries;
	size_t delivery_count;
	unsigned in_flight, in_flight_max;
	char busy[64][128]; /* accounts that are being delivered to */
	bool overlap;	    /* two deliveries to one account at once */

	int64_t began;
	uint64_t next_id;
	uint32_t flags; /* of what is submitted: enum envelope_flag */
	int log_fd;
};

/* In a fresh directory of the fake disk (disk.h). */
void world_init(struct world *w);
void world_done(struct world *w);

/* The queue's process starts, or ends without a word, or in peace. */
void world_start(struct world *w);
void world_kill(struct world *w);
int world_drain(struct world *w);

/* Give a worker a fresh connection (again), or take it away. */
void world_attach(struct world *w, unsigned worker);
void world_detach(struct world *w, unsigned worker);

void world_attach_courier(struct world *w);
void world_detach_courier(struct world *w);

/* Submit "Subject: <text>" with a body of `size` bytes from `sender`. 0 and the id, or -errno. */
int world_submit(struct world *w, const char *sender, const struct queue_recipient *rcpts, size_t n,
		 uint64_t *id);
/* The id of a message that comes now. */
uint64_t world_id(struct world *w);
int world_send(struct world *w, const char *sender, const char *address);

/* To a recipient on another server. */
int world_send_remote(struct world *w, const char *sender, const char *address);

/* Let so much time pass. */
void world_sleep(struct world *w, int64_t ms);

size_t world_messages(struct world *w);
bool world_log_has(struct world *w, const char *text);

/* The script that refuses, or defers, what goes to such an address; delivers everything else. */
int world_refuse(struct world *w, const struct mailbox_deliver_in *in);
int world_defer(struct world *w, const struct mailbox_deliver_in *in);

/* The process dies and another begins. */
void world_restart(struct world *w);

/* Each test is a fiber with a world of its own. */
#define IN_WORLD(test)                                                                             \
	static void in_world_##test(struct world *w);                                              \
	static void fiber_##test(void *unused)                                                     \
	{                                                                                          \
		static struct world world;                                                         \
		(void)unused;                                                                      \
		world_init(&world);                                                                \
		world_start(&world);                                                               \
		in_world_##test(&world);                                                           \
		world_done(&world);                                                                \
	}                                                                                          \
	static void test(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		run_in_fiber(fiber_##test, NULL);                                                  \
	}                                                                                          \
	static void in_world_##test(struct world *w)
