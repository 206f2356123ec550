/* Nobody takes all the active places: an account or a destination may have deliveries for at most
 * twice as many as are free, a sender messages for as many. What comes on top waits by its entry
 * alone. The more different ones there are, the less each may have, and there is always a place
 * for a newcomer. */
#include "queue/queue_state.h"

static uint32_t free_places(const struct queue *q)
{
	return q->active_count < q->config.active_max ? q->config.active_max - q->active_count : 0;
}

/* Enough to go on with while others have nearly everything. */
static uint32_t at_least(const struct queue *q, uint32_t places)
{
	uint32_t min = q->config.active_max / 1000 + 1;

	return places > min ? places : min;
}

uint32_t queue_source_limit(const struct queue *q)
{
	return at_least(q, free_places(q));
}

void queue_room_init(struct queue_room *room, queue_room_unused_fn *unused)
{
	*room = (struct queue_room){ .unused = unused };
	list_init(&room->parked);
}

bool queue_room_is_full(const struct queue *q, const struct queue_room *room)
{
	return room->jobs >= at_least(q, free_places(q) * 2) || !list_empty(&room->parked);
}

bool queue_room_is_unused(const struct queue_room *room)
{
	return room->jobs == 0 && list_empty(&room->parked);
}

void queue_room_enter(struct queue_room *room)
{
	room->jobs++;
}

/* Two for one: the room fills again as places become free, and never runs away from them. */
static void admit(struct queue *q, struct queue_room *room)
{
	uint32_t limit = at_least(q, free_places(q) * 2);

	for (int i = 0; i < 2 && room->jobs < limit && !list_empty(&room->parked); i++) {
		struct list *it = list_shift(&room->parked);
		LIST_ITEM(it, struct queue_entry, link)->admitted = true;
		list_append(&q->admitted, it);
		waitq_wake_one(&q->dispatch);
	}
}

void queue_room_leave(struct queue *q, struct queue_room *room)
{
	check(room->jobs > 0);
	room->jobs--;
	admit(q, room);
	if (queue_room_is_unused(room))
		room->unused(q, room);
}

void queue_room_park(struct queue *q, struct queue_room *room, struct queue_entry *e)
{
	queue_entry_set_state(&q->entries, e, QUEUE_INCOMING);
	list_append(&room->parked, &e->link);
	queue_room_leave(q, room);
}
