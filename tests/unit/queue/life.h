/* The journal's life with made-up mail: messages whose bytes follow from their ids, random
 * marks, moves and retirements, and the promises made meanwhile. */
#pragma once

#include "disk.h"
#include "queue/journal.h"

#define LIFE_MESSAGES_MAX 4096

struct life_message {
	struct list link; /* in its segment, while live */
	uint64_t id;
	bool live;	     /* in the journal and not marked */
	bool refused;	     /* its append failed */
	size_t acked_at;     /* the disk's record when it was acknowledged; SIZE_MAX: never */
	size_t marked_at;    /* the same for its mark; SIZE_MAX: never */
	size_t mark_sent_at; /* when the commit of a mark began; SIZE_MAX: never */
	unsigned seen;	     /* by replay, after a mark: 0 */
	struct journal_segment *segment;
	uint64_t offset;
	uint64_t size; /* of its record */
	uint32_t crc;
};

struct life {
	struct journal *journal;
	struct journal_config config;
	struct life_message *messages;
	size_t count;
	unsigned seed;
	unsigned damages, torn;
};

void life_init(struct life *l, unsigned seed);
void life_done(struct life *l);

/* Open and replay. Whatever is found is checked for being one of ours, to the last byte. */
int life_open(struct life *l, const char *dir);
void life_close(struct life *l);

/* One commit of `messages` new messages, and marks for up to `marks` live ones; then retire and
 * move what can be. */
void life_commit(struct life *l, unsigned messages, unsigned marks);

/* After life_open on what a power cut after `cut` left: is every promise kept? */
void life_check_promises(const struct life *l, size_t cut);

/* From now on the promise is what replay has found: what is there stays, what is gone stays
 * gone. */
void life_be_reborn(struct life *l);

/* The content of a message; free it. */
char *life_content(uint64_t id, size_t *n);
