/* What the files of the queue service share. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "queue/dsn.h"
#include "queue/envelope.h"
#include "queue/operator.h"
#include "queue/queue_commit.h"
#include "queue/queue_destination.h"
#include "queue/queue_entry.h"
#include "queue/queue_id.h"
#include "queue/queue_room.h"
#include "queue/queue_server.h"
#include "queue/queue_urgency.h"
#include "queue/route.h"

struct queue_message;
struct queue_outcome;

/* A recipient's delivery. */
struct queue_job {
	struct list link; /* in its lane, or with its sender at its destination */
	struct queue_active *active;
	struct queue_lane *lane;	       /* NULL: not for a mailbox worker */
	struct queue_destination *destination; /* NULL: not for the courier */
	uint32_t recipient;
	uint32_t part; /* earlier recipients of this message with the same account */
	unsigned lost; /* attempts whose answer never came */
	bool busy;     /* all that can be said against its destination */
};

/* The envelope of an entry that is being delivered. */
struct queue_active {
	struct queue_entry *entry;
	struct arena arena;
	struct envelope envelope;
	struct queue_job *jobs;
	uint32_t busy;	      /* jobs in lanes, at destinations or in flight; freed with the last */
	struct str relay;     /* the next hop of its sender, or empty */
	struct str forwarder; /* the sender of its copies that an alias forwards, or empty */
	struct queue_room *full; /* some recipient waits for a place in it; NULL: none */
	int64_t not_before;	 /* of the next attempt, if there is one */
	struct list tellings;	 /* what there is to tell the sender */
	struct list reporting;	 /* in queue.reports */
};

/* The mail for one account, in order: one delivery at a time. */
struct queue_lane {
	struct queue_room room;
	struct list ready; /* in its worker */
	struct list jobs;
	struct queue_worker *worker;
	struct str account; /* with the lane on the heap */
	bool busy;
};

/* Delivered by a worker and not durable. */
struct queue_written {
	struct queue_entry *entry;
	uint32_t recipient;
};

/* What a worker has delivered since its last checkpoint began. */
struct queue_unsynced {
	struct queue_written *v;
	size_t count, cap;
	struct arena arena;
	struct map accounts; /* that got it, each once */
	bool inherited;	     /* some of it was written by a process that is gone */
	unsigned failures;   /* of checkpoints, when the first of it was written */
};

/* Marks or waits as the journal has them. */
struct queue_notes {
	struct queue_note {
		char bytes[JOURNAL_MARK_SIZE];
	} *v;
	size_t count, cap;
};

/* Lines on their way to the history. */
struct queue_history {
	int dir; /* -1: none is kept */
	int fd;	 /* of the file being written; the writing thread's own */
	uint64_t size;
	struct buf pending;
	struct waitq work;
	bool failing;
};

/* Addresses that are refused. */
struct queue_suppression {
	struct map by_address;
	struct list all;
	struct waitq changed;
	bool dirty; /* the file is not as we are */
};

/* Whoever sends messages, for taking turns. */
struct queue_source {
	struct list turn;     /* in queue.turns, with mail that is incoming */
	struct list incoming; /* entries */
	uint32_t active;      /* messages */
	uint32_t key;
};

/* What auth has said of a sender's relay. */
struct queue_relays {
	struct map by_sender; /* struct relay_answer */
	struct arena arena;
	int64_t until;	    /* loop time; then all is asked anew */
	bool none;	    /* there are no relays */
	int64_t mute_until; /* it did not answer in time: not asked again before */
};

struct queue_worker {
	struct queue *queue;
	struct ipc_client *client;
	struct map lanes;
	struct list ready; /* lanes with jobs and none in flight */
	struct waitq work;
	bool away; /* it did not come back within the time of a call */

	struct queue_unsynced unsynced;
};

struct queue {
	struct queue_config config;
	struct journal *journal;
	struct queue_commit commit;
	struct queue_entries entries;
	struct queue_id_gen ids;
	int64_t start_usec; /* wall clock when the loop's stood at start_ms */
	int64_t start_ms;

	struct group clients; /* readers of the connections */
	struct group fibers;  /* commits, dispatcher, deliveries, retries, checkpoints */
	struct ipc_client *auth, *filter;
	int64_t filter_mute_until; /* it did not answer in time: not asked again before */
	struct queue_worker workers[QUEUE_WORKERS_MAX];

	struct map sources;
	struct list turns[QUEUE_URGENCIES]; /* sources with incoming mail */
	unsigned turn;
	uint64_t source_seed;
	struct list admitted; /* entries that have found a place in a room */
	uint32_t active_count;
	struct waitq dispatch;

	struct route_config routes;
	struct arena route_memory;
	struct queue_relays relays;
	struct ipc_client *courier;
	struct queue_destinations destinations;
	struct waitq courier_work;
	bool courier_away; /* it did not come back in time */

	struct queue_entry **retry; /* heap by next_try */
	size_t retry_count, retry_cap;
	struct waitq retry_changed;

	size_t written_count; /* of all workers */
	struct queue_history history;
	struct queue_suppression suppression;
	struct list reports; /* actives with something to tell */
	struct waitq report_work;

	struct queue_notes marks, waits; /* that are not on their way to the journal yet */
	struct waitq checkpoint;
	bool checkpoint_now;
	unsigned checkpoint_failures; /* ever, of any worker */

	unsigned in_flight; /* deliveries, and a checkpoint */
	struct waitq quiet; /* none is */
	bool draining;
};

/* Microseconds since 1970, never going back while the process lives. */
int64_t queue_now_usec(const struct queue *q);

/* The entry waits for its turn to be delivered. */
void queue_dispatch(struct queue *q, struct queue_entry *e);
void queue_dispatch_run(void *queue);

void queue_active_free(struct queue_active *active);

/* n bytes of the segment of an active entry. 0, -errno, -ECANCELED. */
int may_suspend must_check queue_read(const struct queue_entry *e, uint64_t offset, size_t n,
				      char *p);

/* The envelope of an entry that need not be active. The entry may be gone afterwards. 0, -EBADMSG,
 * -errno, -ECANCELED. */
int may_suspend must_check queue_peek(const struct queue_entry *e, struct arena *a,
				      struct envelope *out);

/* A job of this entry has ended; with the last one decide what the entry waits for next. */
void queue_active_release(struct queue *q, struct queue_active *active);

/* Something that was counted in in_flight has ended. */
void queue_ended(struct queue *q);

/* No more jobs: to the checkpoint, to the next attempt, on hold, or out. */
void queue_settle(struct queue *q, struct queue_entry *e);

/* The recipient needs nothing more, and that is durable. Remove the entry (queue_settle)
 * afterwards. */
void queue_finish_recipient(struct queue *q, struct queue_entry *e, uint32_t recipient);

/* The lane of a mailbox recipient, and a job for it. */
struct queue_lane *queue_lane_of(struct queue *q, const struct envelope_recipient *r);
void queue_deliver(struct queue_job *job);

/* A job for its destination. */
void queue_courier_add(struct queue *q, struct queue_job *job);
void queue_courier_run(void *queue);
void queue_courier_attached(struct queue *q);
unsigned queue_courier_calls(const struct queue *q); /* in flight */

/* The key of an envelope's source; never 0. Messages of another urgency are another source. */
uint32_t queue_source_key(const struct queue *q, const struct envelope *e);

/* The entry is incoming; its source's key is in it, or 0. */
void queue_source_add(struct queue *q, struct queue_entry *e);

/* The entry whose turn it is, no more incoming; NULL: none is, or whoever has some has enough
 * active ones. */
struct queue_entry *queue_source_next(struct queue *q);
bool queue_source_is_full(const struct queue *q, uint32_t key);
void queue_source_enter(struct queue *q, uint32_t key);
void queue_source_leave(struct queue *q, uint32_t key);
void queue_sources_done(struct queue *q);

/* Messages that one source may have active. */
uint32_t queue_source_limit(const struct queue *q);

/* Fill in active->relay and active->forwarder. 0, or the error of asking. */
int may_suspend must_check queue_relay(struct queue *q, struct queue_active *active,
				       struct err *err);
void queue_relays_init(struct queue *q);
void queue_relays_done(struct queue *q);

/* One of config.worker_calls fibers of a worker. */
void queue_deliver_run(void *worker);

void queue_unsynced_init(struct queue_unsynced *u);
void queue_unsynced_done(struct queue_unsynced *u);

void queue_worker_init(struct queue_worker *w, struct queue *q);
void queue_worker_done(struct queue_worker *w);

/* Deferred entries: the next attempt after a pause that grows. */
void queue_retry_later(struct queue *q, struct queue_entry *e);

/* The same, but not before a time of the loop (0: any) at which somebody may be there again. Then
 * nothing was tried, and the pause does not grow. */
void queue_retry_after(struct queue *q, struct queue_entry *e, int64_t not_before);
void queue_retry_run(void *queue);

/* Try everything that is deferred now; only what waits for a worker if no_worker. The number. */
uint64_t queue_retry_all(struct queue *q, bool no_worker);

/* As it was before the process began. */
void queue_retry_restore(struct queue *q, struct queue_entry *e);
void queue_retry_remove(struct queue *q, struct queue_entry *e);

/* An entry that is in no list: all its recipients that are not finished are tried. */
void queue_try_now(struct queue *q, struct queue_entry *e);

/* Do what an operator wants to a message. 1, 0 when it makes no difference, -ENOENT. */
int must_check queue_act(struct queue *q, enum operator_action action, uint64_t id);

/* What was done is durable now. 0, -EIO, -ECANCELED. */
int may_suspend must_check queue_act_end(struct queue *q, enum operator_action action,
					 struct err *err);

void queue_suppression_init(struct queue_suppression *t);
void queue_suppression_done(struct queue_suppression *t);
void queue_suppression_load(struct queue *q);
void queue_suppression_run(void *queue);

/* A recipient was refused: if there is no such mailbox, the next message is refused here. */
void queue_suppress(struct queue *q, const struct queue_job *job, const struct queue_outcome *o);
bool queue_is_suppressed(struct queue *q, const struct queue_job *job, struct str *why);

/* 0, -ENOENT, or the error of writing the file. */
int may_suspend must_check queue_unsuppress(struct queue *q, struct str address, struct err *err);

/* The history: opened by queue_start; 0 also where none is wanted. */
void queue_history_init(struct queue_history *h);
int must_check queue_history_open(struct queue *q, struct err *err);
void queue_history_run(void *queue);
void queue_history_done(struct queue *q);
void queue_history_received(struct queue *q, const struct queue_message *m);
void queue_history_attempt(struct queue *q, const struct queue_job *job, const char *kind,
			   const struct queue_outcome *o);
void queue_history_note(struct queue *q, uint64_t id, struct str text);

/* A worker has delivered. */
void queue_checkpoint_add(struct queue_worker *w, const struct queue_job *job, struct str account);
void queue_checkpoint_run(void *queue);

/* The worker's process is another now: it is to sync what the one before has written. */
void queue_checkpoint_inherit(struct queue_worker *w);

/* Ask all workers now. 0, or the first failure (its deliveries are repeated). */
int may_suspend must_check queue_checkpoint_all(struct queue *q);

/* Note a mark, or when the entry is tried again; written after the next checkpoint, or with the
 * next commit after queue_notes_post. */
void queue_mark(struct queue *q, uint64_t id, uint32_t recipient);
void queue_note_wait(struct queue *q, const struct queue_entry *e);
void queue_notes_post(struct queue *q);

/* The marks of others that count if message `id` gets into the journal, which the next record to
 * be committed puts there. */
void queue_mark_with(struct queue *q, uint64_t id, const struct journal_mark *marks, size_t count);
bool queue_notes_empty(const struct queue *q);
void queue_notes_done(struct queue *q);

/* The same for what a person has said: 0 when it is durable. */
int may_suspend must_check queue_note_wait_now(struct queue *q, const struct queue_entry *e);

/* Move live messages out of the oldest segment where that pays. */
void queue_compact(struct queue *q);

/* Enter a message: envelope checked, `head` and the body's descriptor (taken; -1: none) as in
 * queue.submit. 0 when it is durable; the errors of queue.submit. */
struct queue_message {
	uint64_t id;
	const struct envelope *envelope;
	struct str head;
	int body;
	uint64_t body_size;
	struct str message_id; /* for the history */

	/* Recipients of other messages that are finished as soon as this one is durable, whatever
	 * happens in between. */
	const struct journal_mark *finished;
	size_t finished_count;
};
int may_suspend must_check queue_accept(struct queue *q, const struct queue_message *m,
					struct err *err);

/* The journal's messages become entries; blocking, before anything else runs. The log lines that
 * are due are left in `report`, one each. */
struct queue_replay_report {
	struct arena arena;
	struct list lines; /* struct queue_replay_line */
	uint64_t bytes_torn;
};
struct queue_replay_line {
	struct list link;
	struct str file, reason;
};
int must_check queue_replay(struct queue *q, struct queue_replay_report *report, struct err *err);

/* The log line of a recipient's outcome. */
enum queue_result {
	QUEUE_SENT,
	QUEUE_POSTPONED,
	QUEUE_BOUNCED,
	QUEUE_RESULTS,
};
struct queue_outcome {
	struct str relay;
	struct str tls;	   /* empty: nothing to say */
	struct str status; /* "2.0.0" */
	struct str text;
};
void queue_log_outcome(struct queue *q, const struct queue_job *job, enum queue_result result,
		       const struct queue_outcome *o);

/* There is something to tell the sender of this recipient. False: nobody wants to know. */
bool queue_tell(struct queue_job *job, enum dsn_action action, const struct queue_outcome *o);

/* The last job of a message with something to tell has ended: the fibers that report have it now,
 * and release it. */
void queue_report_later(struct queue *q, struct queue_active *active);
void queue_report_run(void *queue);

/* The recipient waits for the next attempt. */
void queue_deferred(struct queue *q, const struct queue_job *job, const struct queue_outcome *o);

/* The same, and the sender is told when it has taken long. */
void queue_try_later(struct queue *q, struct queue_job *job, const struct queue_outcome *o);

/* There will be no other attempt: the recipient is finished when the sender has been told, or need
 * not be. */
void queue_refused(struct queue *q, struct queue_job *job, const struct queue_outcome *o);
void queue_bounced(struct queue *q, const struct queue_job *job, const struct queue_outcome *o);

/* The message has been here for its whole lifetime. */
bool queue_is_expired(const struct queue *q, const struct queue_active *active);
