/* A share of the active places: of an account's lane, or of a destination. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct queue;
struct queue_entry;
struct queue_room;

/* Nothing is in the room any more, and nobody waits for a place: it may go. */
typedef void queue_room_unused_fn(struct queue *q, struct queue_room *room);

struct queue_room {
	uint32_t jobs;	    /* that are active */
	struct list parked; /* struct queue_entry: wait until there are fewer */
	queue_room_unused_fn *unused;
};

void queue_room_init(struct queue_room *room, queue_room_unused_fn *unused);
bool queue_room_is_full(const struct queue *q, const struct queue_room *room);
bool queue_room_is_unused(const struct queue_room *room);
void queue_room_enter(struct queue_room *room);
void queue_room_leave(struct queue *q, struct queue_room *room);

/* An entry for which the room was full leaves it again, and waits for a place. */
void queue_room_park(struct queue *q, struct queue_room *room, struct queue_entry *e);
