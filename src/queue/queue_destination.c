#include "queue/queue_destination.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "courier/courier.h"
#include "queue/queue_state.h"

/* Remembered for their windows and their deaths while nothing waits for them. */
#define IDLE_MAX 4096

/* While few calls are free, one destination takes at most this part of them. */
#define SCARCE 32

void queue_destinations_init(struct queue_destinations *t)
{
	*t = (struct queue_destinations){ 0 };
	map_init(&t->by_nexthop);
	map_init(&t->senders);
	for (int i = 0; i < QUEUE_TRUSTS; i++)
		for (int k = 0; k < QUEUE_URGENCIES; k++)
			list_init(&t->ready[i][k]);
	list_init(&t->idle);
}

void queue_destinations_done(struct queue_destinations *t)
{
	for (struct map_slot *s = map_next(&t->senders, NULL); s; s = map_next(&t->senders, s))
		free(s->value);
	map_done(&t->senders);
	for (struct map_slot *s = map_next(&t->by_nexthop, NULL); s;
	     s = map_next(&t->by_nexthop, s))
		free(s->value);
	map_done(&t->by_nexthop);
}

static void forget(struct queue *q, struct queue_destination *d)
{
	list_remove(&d->idle);
	list_remove(&d->ready);
	q->destinations.idle_count--;
	map_remove(&q->destinations.by_nexthop, d->nexthop);
	free(d);
}

static void room_unused(struct queue *q, struct queue_room *room)
{
	struct queue_destinations *t = &q->destinations;
	struct queue_destination *d = CONTAINER_OF(room, struct queue_destination, room);

	if (!list_empty(&d->idle))
		return;
	list_append(&t->idle, &d->idle);
	if (++t->idle_count > IDLE_MAX)
		forget(q, LIST_ITEM(t->idle.next, struct queue_destination, idle));
}

static struct queue_destination *destination_new(struct queue *q, struct str nexthop)
{
	struct queue_destination *d = calloc(1, sizeof(*d) + nexthop.n);

	if (!d)
		check_no_memory();
	memcpy((char *)(d + 1), nexthop.p, nexthop.n);
	d->nexthop = str_of(d + 1, nexthop.n);
	d->window = q->config.window_first;
	queue_room_init(&d->room, room_unused);
	list_init(&d->ready);
	list_init(&d->idle);
	for (int i = 0; i < QUEUE_URGENCIES; i++)
		list_init(&d->turns[i]);
	map_put(&q->destinations.by_nexthop, d->nexthop, d);
	return d;
}

struct queue_destination *queue_destination_of(struct queue *q, struct str nexthop)
{
	struct queue_destination *d = map_get(&q->destinations.by_nexthop, nexthop);

	if (!d)
		return destination_new(q, nexthop);
	if (!list_empty(&d->idle)) {
		list_remove(&d->idle);
		q->destinations.idle_count--;
	}
	return d;
}

bool queue_destination_is_dead(const struct queue_destination *d)
{
	return d->dead_until > loop_now();
}

/* What waits, the most urgent first. False when nothing does. */
static bool find_urgency(const struct queue_destination *d, enum queue_urgency *out)
{
	static const enum queue_urgency order[] = { QUEUE_URGENT, QUEUE_NORMAL, QUEUE_LEISURELY };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		*out = order[i];
		if (!list_empty(&d->turns[order[i]]))
			return true;
	}
	return false;
}

bool queue_destination_has_jobs(const struct queue_destination *d)
{
	enum queue_urgency urgency;

	return find_urgency(d, &urgency);
}

/* In the ring while it has something to send and may. */
static void update(struct queue *q, struct queue_destination *d)
{
	enum queue_urgency urgency;

	list_remove(&d->ready);
	if (!find_urgency(d, &urgency) || d->in_flight >= (unsigned)d->window)
		return;
	list_append(&q->destinations.ready[d->trust][urgency], &d->ready);
	waitq_wake_one(&q->courier_work);
}

static struct str key_of(const struct queue_sender_key *key)
{
	return str_of(key, sizeof(*key));
}

static struct queue_sender *sender_of(struct queue *q, struct queue_destination *d, uint32_t source)
{
	struct queue_sender_key key = { d, source };
	struct queue_sender *s = map_get(&q->destinations.senders, key_of(&key));

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		check_no_memory();
	s->key = key;
	list_init(&s->jobs);
	list_init(&s->turn);
	list_append(&d->turns[queue_urgency_of_source(source)], &s->turn);
	map_put(&q->destinations.senders, key_of(&s->key), s);
	return s;
}

void queue_destination_add(struct queue *q, struct queue_destination *d, struct queue_job *job)
{
	uint32_t source = job->active->entry->source;
	struct list *turns = &d->turns[queue_urgency_of_source(source)];
	bool first = list_empty(turns);
	struct queue_sender *s = sender_of(q, d, source);

	list_append(&s->jobs, &job->link);
	if (list_empty(&d->ready) || (first && turns == &d->turns[QUEUE_URGENT]))
		update(q, d);
}

/* So many calls may those have together who have not proved themselves: dead servers take their
 * time, and must not take that of the living. */
static unsigned calls_max(const struct queue *q, enum queue_trust trust)
{
	unsigned all = q->config.courier_calls;

	return trust == QUEUE_PROVEN ? all : all - all / 5;
}

static unsigned free_calls(const struct queue *q, enum queue_trust trust)
{
	const unsigned *in_flight = q->destinations.in_flight;
	unsigned used = in_flight[QUEUE_UNPROVEN];

	if (trust == QUEUE_PROVEN)
		used += in_flight[QUEUE_PROVEN];
	return used < calls_max(q, trust) ? calls_max(q, trust) - used : 0;
}

static struct queue_destination *first_of(struct list *ring, unsigned fair)
{
	LIST_FOREACH (it, ring) {
		struct queue_destination *d = LIST_ITEM(it, struct queue_destination, ready);
		if (d->in_flight > 0 && d->in_flight >= fair)
			continue;
		list_remove(&d->ready);
		return d;
	}
	return NULL;
}

static struct queue_destination *next_of(struct queue *q, enum queue_trust trust)
{
	struct queue_destinations *t = &q->destinations;
	struct queue_destination *d = NULL;
	unsigned all = free_calls(q, QUEUE_PROVEN), mine = free_calls(q, trust);
	unsigned fair = (mine < all ? mine : all) / SCARCE;

	if (!mine || !all)
		return NULL;
	for (unsigned i = 0; !d && i < QUEUE_URGENCIES; i++)
		d = first_of(&t->ready[trust][queue_urgency_choice(t->urgency_turn, i)], fair);
	t->urgency_turn += d != NULL;
	return d;
}

struct queue_destination *queue_destination_next(struct queue *q)
{
	for (int i = 0; i < QUEUE_TRUSTS; i++) {
		enum queue_trust trust = q->destinations.turn++ % QUEUE_TRUSTS;
		struct queue_destination *d = next_of(q, trust);
		if (d)
			return d;
	}
	return NULL;
}

/* There are jobs. */
static struct list *next_turns(struct queue_destination *d)
{
	unsigned turn = d->turn++, i = 0;

	while (list_empty(&d->turns[queue_urgency_choice(turn, i)]))
		i++;
	return &d->turns[queue_urgency_choice(turn, i)];
}

size_t queue_destination_take(struct queue *q, struct queue_destination *d, struct queue_job **jobs,
			      size_t max)
{
	struct list *turns = next_turns(d), *it = list_shift(turns);
	struct queue_sender *s = LIST_ITEM(it, struct queue_sender, turn);
	size_t n = 0;

	while (n < max && !list_empty(&s->jobs)) {
		struct queue_job *job = LIST_ITEM(s->jobs.next, struct queue_job, link);
		if (n && job->active != jobs[0]->active)
			break;
		list_remove(&job->link);
		jobs[n++] = job;
	}
	if (list_empty(&s->jobs)) {
		map_remove(&q->destinations.senders, key_of(&s->key));
		free(s);
	} else {
		list_append(turns, it);
	}
	if (!queue_destination_has_jobs(d))
		list_remove(&d->ready);
	return n;
}

void queue_destination_begin(struct queue *q, struct queue_destination *d)
{
	d->in_flight++;
	q->destinations.in_flight[d->trust]++;
	update(q, d);
}

static void set_trust(struct queue *q, struct queue_destination *d, enum queue_trust trust)
{
	q->destinations.in_flight[d->trust] -= d->in_flight;
	d->trust = trust;
	q->destinations.in_flight[d->trust] += d->in_flight;
}

/* As Postfix does: as many successes as the window is wide widen it by one. */
static void grow(struct queue *q, struct queue_destination *d)
{
	double max = q->config.window_max;

	if (d->window < 1)
		d->window = 1;
	d->window += 1 / d->window;
	if (d->window > max)
		d->window = max;
}

static void die(struct queue *q, struct queue_destination *d, struct str reason)
{
	d->dead_pause = d->dead_pause ? d->dead_pause * 2 : q->config.remote_retry_min;
	if (d->dead_pause > q->config.retry_max)
		d->dead_pause = q->config.retry_max;
	d->dead_until = loop_now() + d->dead_pause;
	d->rest_pause = 0;
	/* One call finds out whether it is back. */
	d->window = 1;
	set_trust(q, d, QUEUE_UNPROVEN);
	snprintf(d->reason, sizeof(d->reason), "%" STR_FMT, STR_ARG(reason));
}

/* It is there, and does not even bear one call at a time. */
static void rest(struct queue *q, struct queue_destination *d, struct str reason)
{
	d->rest_pause = d->rest_pause ? d->rest_pause * 2 : QUEUE_REST_MS;
	if (d->rest_pause > q->config.remote_retry_min)
		d->rest_pause = q->config.remote_retry_min;
	d->dead_until = loop_now() + d->rest_pause;
	d->window = 1;
	snprintf(d->reason, sizeof(d->reason), "%" STR_FMT, STR_ARG(reason));
}

static void learn(struct queue *q, struct queue_destination *d, int trouble, struct str reason)
{
	switch (trouble) {
	case COURIER_FINE:
		queue_destination_revive(q, d);
		set_trust(q, d, QUEUE_PROVEN);
		grow(q, d);
		return;
	case COURIER_BUSY:
		set_trust(q, d, QUEUE_PROVEN);
		if (d->window >= 2)
			d->window /= 2;
		else if (!queue_destination_is_dead(d))
			rest(q, d, reason);
		return;
	case COURIER_UNREACHABLE:
		/* What was there a moment ago may have been out of luck; the other calls that were
		 * under way when it died are no news. */
		if (d->trust == QUEUE_PROVEN && d->window >= 2)
			d->window /= 2;
		else if (!queue_destination_is_dead(d))
			die(q, d, reason);
		return;
	default:
		return;
	}
}

void queue_destination_end(struct queue *q, struct queue_destination *d, int trouble,
			   struct str reason)
{
	check(d->in_flight > 0);
	d->in_flight--;
	q->destinations.in_flight[d->trust]--;
	learn(q, d, trouble, reason);
	update(q, d);
	waitq_wake_one(&q->courier_work);
}

void queue_destination_revive(struct queue *q, struct queue_destination *d)
{
	d->dead_until = d->rest_pause = 0;
	if (!d->dead_pause)
		return;
	d->dead_pause = 0;
	if (d->window < q->config.window_first)
		d->window = q->config.window_first;
}

void queue_destinations_wake(struct queue *q)
{
	struct map *all = &q->destinations.by_nexthop;

	for (struct map_slot *s = map_next(all, NULL); s; s = map_next(all, s)) {
		struct queue_destination *d = s->value;
		d->dead_until = 0;
	}
}
