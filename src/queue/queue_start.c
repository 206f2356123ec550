/* The queue's beginning and end. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/rand.h"
#include "core/work.h"
#include "queue/queue_state.h"

/* Segments kept for reuse take at most so much of the disk. */
#define SPARE_BYTES (64u << 20)
#define SPARES_MAX  4

/* For calls to the courier when the queue is told to end. */
#define COURIER_GRACE_MS 5000

/* Reports being written at a time: each waits for a commit. */
#define REPORTERS 16

static int64_t wall_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set_default(int64_t *value, int64_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

static void set_defaults(struct queue_config *c)
{
	if (c->commit_messages == 0)
		c->commit_messages = 256;
	if (c->commit_bytes == 0)
		c->commit_bytes = 16u << 20;
	if (c->active_max == 0)
		c->active_max = 10000;
	if (c->worker_calls == 0)
		c->worker_calls = 8;
	if (c->checkpoint_at == 0)
		c->checkpoint_at = 1000;
	set_default(&c->checkpoint_ms, 2000);
	set_default(&c->retry_min, 10000);
	set_default(&c->retry_max, 4000000);
	if (c->courier_calls == 0)
		c->courier_calls = 500;
	if (c->window_first == 0)
		c->window_first = 5;
	if (c->window_max == 0)
		c->window_max = 20;
	set_default(&c->remote_retry_min, 300000);
	set_default(&c->bounce_lifetime, (int64_t)5 * 24 * 3600 * 1000);
	set_default(&c->lifetime, (int64_t)5 * 24 * 3600 * 1000);
}

static struct queue *queue_new(const struct queue_config *config)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		check_no_memory();
	check(config->workers > 0 && config->workers <= QUEUE_WORKERS_MAX);
	q->config = *config;
	set_defaults(&q->config);
	q->start_usec = config->wall_usec ? config->wall_usec : wall_usec();
	q->start_ms = loop_now();
	queue_id_gen_init(&q->ids, QUEUE_ID_INSTANCE_SELF);
	queue_entries_init(&q->entries);
	group_init(&q->clients);
	group_init(&q->fibers);
	map_init(&q->sources);
	for (int i = 0; i < QUEUE_URGENCIES; i++)
		list_init(&q->turns[i]);
	list_init(&q->admitted);
	q->source_seed = rand_u64();
	queue_relays_init(q);
	queue_destinations_init(&q->destinations);
	waitq_init(&q->courier_work);
	queue_history_init(&q->history);
	queue_suppression_init(&q->suppression);
	list_init(&q->reports);
	waitq_init(&q->report_work);
	waitq_init(&q->dispatch);
	waitq_init(&q->retry_changed);
	waitq_init(&q->checkpoint);
	waitq_init(&q->quiet);
	list_init(&q->commit.waiting);
	list_init(&q->commit.loose);
	waitq_init(&q->commit.work);
	waitq_init(&q->commit.idle);
	q->auth = ipc_client_new("auth", &q->clients);
	q->filter = ipc_client_new("filter", &q->clients);
	q->courier = ipc_client_new("courier", &q->clients);
	for (unsigned i = 0; i < q->config.workers; i++)
		queue_worker_init(&q->workers[i], q);
	return q;
}

struct open_job {
	struct queue *queue;
	struct queue_replay_report report;
	struct err *err;
};

static int run_open(void *arg)
{
	struct open_job *job = arg;
	struct queue *q = job->queue;
	struct journal_config config = {
		.dir = q->config.dir,
		.io = q->config.io,
		.segment_size = q->config.segment_size,
		.spares = SPARES_MAX,
	};
	uint64_t segment_size = config.segment_size ? config.segment_size : JOURNAL_SEGMENT_SIZE;

	if (segment_size * SPARES_MAX > SPARE_BYTES)
		config.spares = segment_size > SPARE_BYTES ? 1 : SPARE_BYTES / segment_size;

	int r = journal_open(&config, &q->journal, job->err);
	if (r == 0)
		r = queue_replay(q, &job->report, job->err);
	if (r == 0)
		queue_suppression_load(q);
	return r;
}

static void log_replay(const struct queue *q, const struct queue_replay_report *report)
{
	LIST_FOREACH (it, &report->lines) {
		struct queue_replay_line *line = LIST_ITEM(it, struct queue_replay_line, link);
		log_event(LOG_QUEUE_DAMAGED, LOG_STR("file", line->file),
			  LOG_STR("reason", line->reason));
	}
	log_event(LOG_QUEUE_REPLAYED, LOG_INT("messages", (int64_t)q->entries.total));
}

static void begin(struct queue *q, struct queue_entry *e)
{
	if (e->next_try > loop_now())
		queue_retry_restore(q, e);
	else
		queue_dispatch(q, e);
}

/* Oldest first. */
static void dispatch_all(struct queue *q)
{
	LIST_FOREACH (at, journal_segments(q->journal)) {
		struct journal_segment *s = LIST_ITEM(at, struct journal_segment, link);
		LIST_FOREACH (it, &s->entries) {
			begin(q, LIST_ITEM(it, struct queue_entry, by_segment));
		}
	}
}

static int start_fibers(struct queue *q, struct err *err)
{
	int r = fiber_spawn(&q->fibers, "commits", queue_commit_run, &q->commit);

	if (r == 0)
		r = fiber_spawn(&q->fibers, "dispatcher", queue_dispatch_run, q);
	if (r == 0)
		r = fiber_spawn(&q->fibers, "retries", queue_retry_run, q);
	if (r == 0)
		r = fiber_spawn(&q->fibers, "courier", queue_courier_run, q);
	if (r == 0)
		r = fiber_spawn(&q->fibers, "history", queue_history_run, q);
	if (r == 0)
		r = fiber_spawn(&q->fibers, "refused addresses", queue_suppression_run, q);
	for (unsigned i = 0; r == 0 && i < REPORTERS; i++)
		r = fiber_spawn(&q->fibers, "reports", queue_report_run, q);
	if (r == 0)
		r = fiber_spawn(&q->fibers, "checkpoints", queue_checkpoint_run, q);
	for (unsigned i = 0; r == 0 && i < q->config.workers; i++) {
		for (unsigned n = 0; r == 0 && n < q->config.worker_calls; n++)
			r = fiber_spawn(&q->fibers, "delivery", queue_deliver_run, &q->workers[i]);
	}
	return r < 0 ? err_set(err, r, "queue: too many fibers") : 0;
}

static int parse_routes(struct queue *q, struct err *err)
{
	struct str relay = q->config.default_relay, agent = q->config.agent;
	int r = 0;

	if (relay.n && route_parse(relay, &q->route_memory, &q->routes.relay, err) < 0)
		r = err_prefix(err, "DEFAULT_RELAY_HOST");
	if (r == 0 && agent.n && route_parse(agent, &q->route_memory, &q->routes.agent, err) < 0)
		r = err_prefix(err, "POSTFIX_DAGENT");
	return r;
}

/* Mail is delivered without it too. */
static void open_history(struct queue *q)
{
	struct err err;

	if (queue_history_open(q, &err) < 0)
		log_event(LOG_QUEUE_FAILED, LOG_REASON(&err));
}

int queue_start(const struct queue_config *config, struct queue **out, struct err *err)
{
	struct queue *q = queue_new(config);
	struct open_job job = { .queue = q, .err = err };

	int r = parse_routes(q, err);
	if (r == 0)
		r = work_run(run_open, &job);
	if (r == 0) {
		log_replay(q, &job.report);
		open_history(q);
		q->commit.queue = q;
		q->commit.journal = q->journal;
		q->commit.messages_max = q->config.commit_messages;
		q->commit.bytes_max = q->config.commit_bytes;
		q->commit.wait = q->config.commit_wait;
		q->commit.tidy = true;
		dispatch_all(q);
		r = start_fibers(q, err);
	}
	arena_done(&job.report.arena);
	if (r < 0) {
		queue_stop(q);
		return r;
	}
	*out = q;
	return 0;
}

/* A worker that is away does not come back before we have ended; its mail is delivered after the
 * next start. */
static void give_up_absent_workers(struct queue *q)
{
	for (unsigned i = 0; i < q->config.workers; i++)
		if (!ipc_client_connected(q->workers[i].client))
			ipc_client_close(q->workers[i].client);
}

/* Another server may let us wait for minutes: what is under way there has a while, and is tried
 * again after the next start. */
static int may_suspend wait_for_deliveries(struct queue *q, int64_t deadline)
{
	int64_t grace = loop_deadline(COURIER_GRACE_MS);
	int r = 0;

	while (r == 0 && q->in_flight) {
		bool remote = q->in_flight == queue_courier_calls(q);
		if (remote && loop_now() >= grace)
			return 0;
		r = waitq_wait(&q->quiet, "deliveries to end",
			       grace < deadline && loop_now() < grace ? grace : deadline);
		if (r == -ETIMEDOUT && loop_now() < deadline)
			r = 0;
	}
	return r;
}

int queue_drain(struct queue *q, int64_t deadline)
{
	q->draining = true;
	give_up_absent_workers(q);
	int r = wait_for_deliveries(q, deadline);
	if (r == 0)
		r = queue_commit_flush(&q->commit, deadline);
	if (r == 0) {
		int64_t before = fiber_limit_begin(deadline);
		r = queue_checkpoint_all(q);
		fiber_limit_end(before);
	}
	if (r == 0)
		r = queue_commit_flush(&q->commit, deadline);
	return r;
}

static void free_actives(struct queue *q)
{
	for (struct queue_entry *e = queue_entries_next(&q->entries, NULL); e;
	     e = queue_entries_next(&q->entries, e)) {
		if (e->active)
			queue_active_free(e->active);
	}
}

void queue_stop(struct queue *q)
{
	group_done(&q->fibers);
	group_done(&q->clients);
	free_actives(q);
	for (unsigned i = 0; i < q->config.workers; i++)
		queue_worker_done(&q->workers[i]);
	ipc_client_free(q->auth);
	ipc_client_free(q->filter);
	ipc_client_free(q->courier);
	queue_destinations_done(&q->destinations);
	queue_sources_done(q);
	queue_relays_done(q);
	queue_history_done(q);
	queue_suppression_done(&q->suppression);
	arena_done(&q->route_memory);
	queue_entries_done(&q->entries);
	journal_free(q->journal);
	free(q->retry);
	queue_notes_done(q);
	free(q);
}
