#include "queue/queue_commit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/work.h"

/* Records that nobody waits for have so long to find company, first for being written and then for
 * a sync. */
#define COMPANY_MS 2
#define LOOSE_MS   100

/* The same trouble is reported once in this time. */
#define REPORT_PAUSE 10000

struct queue_append *queue_append_new(enum journal_type type, uint64_t id)
{
	struct queue_append *a = calloc(1, sizeof(*a));

	if (!a)
		check_no_memory();
	a->append.type = type;
	a->append.id = id;
	a->body = -1;
	return a;
}

static void append_free(struct queue_append *a)
{
	fd_close_scope(&a->body);
	arena_done(&a->arena);
	free(a);
}

void queue_append_piece(struct queue_append *a, struct journal_piece piece)
{
	check(a->append.piece_count < JOURNAL_PIECES_MAX);
	a->append.pieces[a->append.piece_count++] = piece;
}

void queue_commit_post(struct queue_commit *c, struct queue_append *a)
{
	list_append(&c->waiting, &a->append.link);
	c->hurry |= !a->append.relaxed;
	waitq_wake_one(&c->work);
}

int queue_commit_wait(struct queue_commit *c, struct queue_append *a)
{
	int r = 0;

	a->waiter = fiber_self();
	queue_commit_post(c, a);
	while (!a->done && r == 0)
		r = fiber_park("journal commit", LOOP_FOREVER);
	if (!a->done) {
		a->waiter = NULL; /* the committer frees it */
		return r;
	}
	r = a->append.result;
	append_free(a);
	return r;
}

void queue_commit_tidy(struct queue_commit *c)
{
	c->tidy = true;
	waitq_wake_one(&c->work);
}

static void finish(struct queue_commit *c, struct queue_append *a)
{
	if (a->committed)
		a->committed(c->queue, a);
	a->done = true;
	if (a->waiter)
		fiber_wake(a->waiter);
	else
		append_free(a);
}

static struct queue_append *take_first(struct list *appends)
{
	struct list *it = list_shift(appends);
	struct journal_append *a = it ? LIST_ITEM(it, struct journal_append, link) : NULL;

	return a ? CONTAINER_OF(a, struct queue_append, append) : NULL;
}

static void move_all(struct list *from, struct list *to)
{
	for (struct list *it; (it = list_shift(from));)
		list_append(to, it);
}

static void collect(struct queue_commit *c, struct journal_batch *b)
{
	unsigned count = 0;
	uint64_t bytes = 0;

	journal_batch_init(b);
	move_all(&c->loose, &b->loose);
	b->sync = c->sync_now || (!list_empty(&b->loose) && loop_now() >= c->sync_at);
	c->sync_now = false;
	while (!list_empty(&c->waiting) && count < c->messages_max && bytes < c->bytes_max) {
		struct list *it = list_shift(&c->waiting);
		bytes += journal_append_length(LIST_ITEM(it, struct journal_append, link));
		count++;
		list_append(&b->appends, it);
	}
	c->messages += count;
	c->tidy = false;
	c->hurry = !list_empty(&c->waiting);
	journal_collect_retired(c->journal, &b->retired);
}

/* What is not durable yet waits for a later commit: the first of them until sync_at. */
static void finish_all(struct queue_commit *c, struct list *appends, int64_t sync_at)
{
	struct queue_append *a;

	while ((a = take_first(appends))) {
		if (a->append.result != JOURNAL_WRITTEN) {
			finish(c, a);
			continue;
		}
		if (list_empty(&c->loose))
			c->sync_at = sync_at;
		list_append(&c->loose, &a->append.link);
	}
}

struct commit_job {
	struct journal *journal;
	struct journal_batch *batch;
};

static int run_commit(void *arg)
{
	struct commit_job *job = arg;

	journal_commit(job->journal, job->batch);
	return 0;
}

static void report(struct queue_commit *c, const struct err *err)
{
	if (err->code) {
		c->last_failure = loop_now();
		c->failure = *err;
	}
	if (err->code == 0 || (c->last_report && loop_now() - c->last_report < REPORT_PAUSE))
		return;
	c->last_report = loop_now();
	log_event(LOG_QUEUE_FAILED, LOG_REASON(err));
}

static void may_suspend commit(struct queue_commit *c)
{
	struct journal_batch b;
	struct commit_job job = { .journal = c->journal, .batch = &b };

	collect(c, &b);
	if (list_empty(&b.appends) && list_empty(&b.retired) && !b.sync) {
		move_all(&b.loose, &c->loose);
		return;
	}
	int64_t before = loop_now();
	c->writing = true;
	(void)!work_run(run_commit, &job);
	c->writing = false;
	metric_observe(METRIC_COMMIT_TIME, (uint64_t)(loop_now() - before));
	metric_add(METRIC_QUEUE_COMMITS, 1);
	c->commits++;
	c->syncs += b.syncs;

	journal_batch_finish(c->journal, &b);
	/* Every record is accounted for before anybody can look for segments that are not
	 * needed. */
	finish_all(c, &b.loose, c->sync_at);
	finish_all(c, &b.appends, loop_deadline(LOOSE_MS));
	report(c, &b.err);
}

static bool is_idle(const struct queue_commit *c)
{
	return list_empty(&c->waiting) && !c->tidy && !c->sync_now;
}

static int may_suspend wait_for_work(struct queue_commit *c)
{
	bool loose = !list_empty(&c->loose);

	if (!loose)
		waitq_wake_all(&c->idle);
	int r = waitq_wait(&c->work, "something to commit", loose ? c->sync_at : LOOP_FOREVER);
	if (r != -ETIMEDOUT)
		return r;
	c->sync_now = true;
	return 0;
}

/* What nobody waits for goes with what comes next. */
static int may_suspend wait_for_company(struct queue_commit *c)
{
	int64_t deadline = loop_deadline(COMPANY_MS);
	int r = 0;

	while (r == 0 && !c->hurry && !c->sync_now)
		r = waitq_wait(&c->work, "company", deadline);
	return r == -ETIMEDOUT ? 0 : r;
}

void queue_commit_run(void *arg)
{
	struct queue_commit *c = arg;
	struct queue_append *a;
	int r = 0;

	while (r == 0) {
		if (is_idle(c)) {
			r = wait_for_work(c);
			continue;
		}
		r = c->wait > 0 ? fiber_sleep(c->wait) : wait_for_company(c);
		commit(c);
	}
	while ((a = take_first(&c->loose))) {
		a->append.result = 0; /* a process that ends takes nothing with it */
		finish(c, a);
	}
	while ((a = take_first(&c->waiting))) {
		a->append.result = -ECANCELED;
		finish(c, a);
	}
}

int queue_commit_flush(struct queue_commit *c, int64_t deadline)
{
	int r = 0;

	while (r == 0 && (!is_idle(c) || c->writing || !list_empty(&c->loose))) {
		c->sync_now = true;
		waitq_wake_one(&c->work);
		r = waitq_wait(&c->idle, "commits to end", deadline);
	}
	return r;
}
