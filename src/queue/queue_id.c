#include "queue/queue_id.h"

#include <errno.h>
#include <time.h>

static const char digits[] = "0123456789BCDFGHJKMNPQRSTVWXYZbc";

#define SEQUENCE_BITS  8
#define INSTANCE_SHIFT SEQUENCE_BITS
#define USEC_SHIFT     12

struct queue_id_text queue_id_text(uint64_t id)
{
	struct queue_id_text text;

	for (int i = QUEUE_ID_LEN - 1; i >= 0; i--) {
		text.c[i] = digits[id & 31];
		id >>= 5;
	}
	text.c[QUEUE_ID_LEN] = '\0';
	return text;
}

int queue_id_parse(struct str s, uint64_t *out)
{
	uint64_t id = 0;

	if (s.n != QUEUE_ID_LEN)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = s.p[i] ? strchr(digits, s.p[i]) : NULL;
		if (!digit)
			return -EINVAL;
		/* 13 digits hold 65 bits: the first one has only 4. */
		if (i == 0 && digit - digits > 15)
			return -EINVAL;
		id = id << 5 | (uint64_t)(digit - digits);
	}
	*out = id;
	return 0;
}

void queue_id_gen_init(struct queue_id_gen *g, unsigned instance)
{
	check(instance < QUEUE_ID_INSTANCES);
	*g = (struct queue_id_gen){ .instance = instance };
}

uint64_t queue_id_next_at(struct queue_id_gen *g, int64_t usec)
{
	uint64_t base = (uint64_t)usec << USEC_SHIFT | (uint64_t)g->instance << INSTANCE_SHIFT;
	uint64_t id = base;

	if (id <= g->last) {
		id = g->last + 1;
		/* The sequence ran into the instance bits: go on in the next microsecond. */
		if ((id >> INSTANCE_SHIFT) != (g->last >> INSTANCE_SHIFT))
			id = ((g->last >> USEC_SHIFT) + 1) << USEC_SHIFT |
			     (uint64_t)g->instance << INSTANCE_SHIFT;
	}
	g->last = id;
	return id;
}

uint64_t queue_id_next(struct queue_id_gen *g)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return queue_id_next_at(g, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}
