/* The name of a message from its acceptance to the end of its life: journal, log, Received header
 * and Maildir file name all carry it.
 *
 * 64 bits: microseconds since 1970 in the upper 52 (good until 2112), then 4 bits for the
 * process that made it and 8 bits that tell ids of one microsecond apart. As text 13 characters
 * in base 32, without vowels and without letters that look like digits; text sorts like the
 * number. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define QUEUE_ID_LEN 13

/* The instance numbers: fronts count from 0; the queue makes ids for bounces. */
#define QUEUE_ID_INSTANCES     16
#define QUEUE_ID_INSTANCE_SELF 15

struct queue_id_text {
	char c[QUEUE_ID_LEN + 1];
};

/* By value, NUL-terminated: printf("%s", queue_id_text(id).c). */
struct queue_id_text queue_id_text(uint64_t id);

/* 0, or -EINVAL for anything queue_id_text does not write. */
int must_check queue_id_parse(struct str s, uint64_t *out);

static inline int64_t queue_id_usec(uint64_t id)
{
	return (int64_t)(id >> 12);
}

/* Makes ids that only grow, even when the clock is set back. */
struct queue_id_gen {
	uint64_t last;
	unsigned instance;
};

void queue_id_gen_init(struct queue_id_gen *g, unsigned instance);

uint64_t queue_id_next(struct queue_id_gen *g);

/* The same with the time as a parameter, in microseconds since 1970. */
uint64_t queue_id_next_at(struct queue_id_gen *g, int64_t usec);
