/* One message of the queue in memory: where it is in the journal and what each recipient still
 * needs. About 160 bytes with its place in the table; envelope and body stay in the journal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "queue/journal.h"

struct queue_active;

enum queue_rcpt_state {
	QUEUE_RCPT_WAITING,  /* needs an attempt */
	QUEUE_RCPT_DEFERRED, /* had one; needs another, later */
	QUEUE_RCPT_ACTIVE,   /* in a lane, at a destination or in flight */
	QUEUE_RCPT_WRITTEN,  /* delivered, not durable */
	QUEUE_RCPT_HELD,     /* can go nowhere; a person must look */
	QUEUE_RCPT_FINISHED,
};

enum queue_entry_state {
	QUEUE_COMMITTING, /* on its way into the journal */
	QUEUE_INCOMING,	  /* waits for its turn */
	QUEUE_ACTIVE,	  /* the envelope is in memory */
	QUEUE_WRITTEN,	  /* waits for the checkpoint */
	QUEUE_DEFERRED,	  /* waits for its next attempt */
	QUEUE_HELD,	  /* waits for a person, or for the next start */
	QUEUE_STATES,
};

#define QUEUE_RCPT_INLINE 8

struct queue_entry {
	struct list by_segment;	  /* in journal_segment.entries */
	struct queue_entry *next; /* in its bucket of the table */
	struct list link;	  /* INCOMING: with its source, or in a room */
	uint64_t id;
	struct journal_segment *segment;
	uint64_t offset; /* of the record */
	uint64_t length; /* of the payload */
	uint32_t envelope_length;
	uint32_t crc; /* of the payload */
	uint32_t recipient_count;
	uint32_t open; /* recipients that are not FINISHED */
	int64_t next_try;
	uint32_t heap_index; /* DEFERRED: in queue.retry */
	uint32_t source;     /* whose turn it is with; 0: not known yet */
	uint16_t attempts;
	uint8_t state;	       /* enum queue_entry_state */
	uint8_t busy_attempts; /* in a row, of which all that came was that servers are busy */
	bool replay;	       /* an earlier delivery may exist */
	bool moving;	       /* a copy of the record is on its way */
	bool no_worker;	       /* DEFERRED only because a worker was away */
	bool admitted;	       /* INCOMING with a place in a room that was full */
	bool remote;	       /* DEFERRED by other servers only */
	bool busy;	       /* DEFERRED by servers that are busy only */
	bool held;	       /* a person has said so */
	bool deleted;	       /* the same; marked, and gone as soon as nobody has it */
	bool warned;	       /* the sender knows that it takes long */
	struct queue_active *active;
	union {
		uint8_t inline_states[QUEUE_RCPT_INLINE]; /* enum queue_rcpt_state */
		uint8_t *states;
	} rcpt;
};

/* All entries by id, and how many are in each state. A table of its own: a million entries wait in
 * it, and `struct map` takes 32 to 85 bytes for each. */
struct queue_entries {
	struct queue_entry **buckets;
	size_t bucket_count; /* 0 or a power of two */
	size_t total;
	uint64_t seed;
	uint64_t count[QUEUE_STATES];
};

void queue_entries_init(struct queue_entries *t);

/* Frees every entry. */
void queue_entries_done(struct queue_entries *t);

/* NULL when there is none. */
struct queue_entry *queue_entries_find(const struct queue_entries *t, uint64_t id);

/* Visit all in no order, beginning with NULL; entries must not come or go meanwhile. */
struct queue_entry *queue_entries_next(const struct queue_entries *t,
				       const struct queue_entry *after);

/* The first entry of a bucket, others behind it: a visit of all may pause between buckets, and
 * begins anew when their number has changed. */
static inline struct queue_entry *queue_entries_bucket(const struct queue_entries *t, size_t i)
{
	return t->buckets[i];
}

/* A new entry in state COMMITTING, all recipients WAITING; NULL when the id is taken. */
struct queue_entry *queue_entries_add(struct queue_entries *t, uint64_t id, uint32_t recipients);

/* Take it out of its segment and the table, and free it. It is in no other list. */
void queue_entries_remove(struct queue_entries *t, struct queue_entry *e);

void queue_entry_set_state(struct queue_entries *t, struct queue_entry *e,
			   enum queue_entry_state state);

/* Where its record is, from now on. */
void queue_entry_place(struct queue_entry *e, struct journal_segment *s, uint64_t offset);

enum queue_rcpt_state queue_entry_rcpt(const struct queue_entry *e, uint32_t i);

/* Also keeps count of `open`. */
void queue_entry_set_rcpt(struct queue_entry *e, uint32_t i, enum queue_rcpt_state state);

/* Is any recipient in this state? */
bool queue_entry_has_rcpt(const struct queue_entry *e, enum queue_rcpt_state state);

/* A person has said that it is not to be delivered, now or ever. */
static inline bool queue_entry_is_withdrawn(const struct queue_entry *e)
{
	return e->held || e->deleted;
}

/* Head and body: what the recipients get. */
static inline uint64_t queue_entry_content_offset(const struct queue_entry *e)
{
	return e->offset + JOURNAL_RECORD_HEADER + e->envelope_length;
}

static inline uint64_t queue_entry_content_length(const struct queue_entry *e)
{
	return e->length - e->envelope_length;
}
