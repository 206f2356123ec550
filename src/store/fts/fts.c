/* The fiber that adds messages to full-text indexes, and the calls of searches. */
#include "store/fts.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/map.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/work.h"
#include "store/fts/db.h"
#include "store/fts/feed.h"
#include "store/store.h"

#define LOOK_MS	      60000  /* how often the fiber looks whether it was forgotten */
#define CALM_WAITS    30     /* after so many waits for calm it goes on anyway */
#define QUERIES_MAX   2	     /* at a time: others need threads too */
#define QUERY_MS      10000  /* so long a search waits for its turn, then it reads */
#define RETRY_MS      600000 /* after a failure */
#define BATCH_BYTES   ((uint64_t)4 << 20)
#define INDEX_MAX     ((uint64_t)4 << 30) /* bytes of one account's index */
#define PROGRESS_MIN  1000		  /* fewer messages are not worth a line in the log */
#define PROGRESS_EACH 10000
#define DEAD_MIN      10000 /* rows without a message that are not worth a new index */

struct account {
	struct list node; /* in fts.queue */
	bool queued;
	bool damaged;	    /* a search found it so */
	unsigned made;	    /* how often it was made again */
	bool lacks;	    /* a search found a message that is not in */
	int64_t checked;    /* when marks were not believed last */
	int64_t made_again; /* when it was damaged last */
	int64_t not_before;
	const char *path; /* of its mail */
	const char *dir, *file;
};

struct fts {
	struct fts_settings set;
	struct arena memory; /* of accounts too: there are as many as are used */
	struct map accounts;
	struct list queue;
	struct waitq wake;
	int64_t last_added;
	unsigned asking;    /* queries that run */
	struct waitq asked; /* one has ended */
};

struct fts *fts_new(const struct fts_settings *set)
{
	struct fts *f = calloc(1, sizeof(*f));

	if (!f)
		check_no_memory();
	f->set = *set;
	f->set.root = arena_str(&f->memory, set->root);
	f->set.mail_root = arena_str(&f->memory, set->mail_root);
	map_init(&f->accounts);
	list_init(&f->queue);
	waitq_init(&f->wake);
	waitq_init(&f->asked);
	f->last_added = INT64_MIN / 2;
	return f;
}

void fts_free(struct fts *f)
{
	if (!f)
		return;
	map_done(&f->accounts);
	arena_done(&f->memory);
	free(f);
}

/* NULL when the path is not below that of all mail. */
static struct account *account_of(struct fts *f, struct str path)
{
	struct account *ac = map_get(&f->accounts, path);

	if (ac || !str_starts(path, f->set.mail_root))
		return ac;
	ac = ARENA_NEW(&f->memory, struct account);
	struct str copy = arena_str(&f->memory, path);
	ac->path = copy.p;
	ac->dir = store_account_below(f->set.root, copy, &f->memory).p;
	ac->file = fts_file(f->set.root, copy, &f->memory);
	ac->not_before = ac->made_again = ac->checked = INT64_MIN / 2;
	map_put(&f->accounts, copy, ac);
	return ac;
}

void fts_notice(struct fts *f, struct str mail_path, enum fts_notice_kind kind)
{
	struct account *ac = f ? account_of(f, mail_path) : NULL;

	if (!ac)
		return;
	if (kind == FTS_ADDED)
		f->last_added = loop_now();
	ac->lacks |= kind == FTS_LACKS;
	if (ac->queued || loop_now() < ac->not_before)
		return;
	ac->queued = true;
	list_append(&f->queue, &ac->node);
	waitq_wake_all(&f->wake);
}

static void report(struct fts *f, const struct account *ac, enum fts_report_kind kind,
		   const char *reason)
{
	f->set.report(&(struct fts_report){ .kind = kind, .account = ac->path, .reason = reason });
}

/* One account on its way into its index. */
struct feeding {
	struct fts *f;
	struct account *ac;
	struct store *store;
	struct fts_db db;
	struct fts_batch batch;
	bool merging;
	/* Look at all messages, not only at those behind the marks. */
	bool check;
	struct fts_known known;
	struct arena memory;
	uint64_t messages;    /* of the account */
	uint64_t done, total; /* of those that are added */
	struct err err;
};

static int open_job(void *arg)
{
	struct feeding *g = arg;

	if (fts_db_size(g->ac->file) > INDEX_MAX)
		return err_set(&g->err, -EFBIG, "the index has reached its largest size");
	int r = fd_make_dirs(g->ac->dir, 0700, &g->err);
	return r < 0 ? r : fts_db_open(&g->db, g->ac->file, true, &g->err);
}

static int close_job(void *arg)
{
	struct feeding *g = arg;

	fts_db_close(&g->db);
	/* SQLite has gathered megabytes in small pieces, and nobody will need as many again. */
	if (g->done >= FTS_BATCH_MAX)
		(void)malloc_trim(0);
	return 0;
}

static int remove_job(void *arg)
{
	struct account *ac = arg;

	fts_db_remove(ac->file);
	return 0;
}

/* More rows than messages: a new index is smaller. */
static int is_worn_job(void *arg)
{
	struct feeding *g = arg;
	auto_arena struct arena a = ARENA_INIT;
	struct fts_known known;

	int r = fts_db_known(&g->db, &a, &known, &g->err);
	return r < 0 ? r : known.all.n > 2 * g->messages + DEAD_MIN;
}

struct box_job {
	struct feeding *g;
	const uint8_t *guid;
	uint32_t uid;
};

static int box_job(void *arg)
{
	struct box_job *j = arg;

	return fts_db_box(&j->g->db, j->guid, &j->uid, &j->g->err);
}

static void tell_progress(struct feeding *g, unsigned added)
{
	uint64_t before = g->done;

	g->done += added;
	if (g->total < PROGRESS_MIN ||
	    (before / PROGRESS_EACH == g->done / PROGRESS_EACH && g->done < g->total))
		return;
	g->f->set.report(&(struct fts_report){
		.kind = FTS_PROGRESS, .account = g->ac->path, .done = g->done, .total = g->total });
}

/* No more than half of the time, and little while mail arrives. */
static int may_suspend rest(struct fts *f, int64_t worked_ms)
{
	int r = fiber_sleep(worked_ms > 0 ? worked_ms : 1);

	for (int i = 0; r == 0 && i < CALM_WAITS; i++) {
		int64_t left = f->last_added + f->set.calm_ms - loop_now();
		if (left <= 0)
			break;
		r = fiber_sleep(left);
	}
	return r;
}

static int may_suspend run_batch(struct feeding *g)
{
	unsigned n = g->batch.n;
	int64_t before = loop_now();

	int r = work_run(fts_batch_run, &g->batch);
	if (r < 0) {
		g->err = g->batch.err;
		return r;
	}
	tell_progress(g, n);
	return rest(g->f, loop_now() - before);
}

static void take_message(struct feeding *g, struct store_view *v, uint32_t seq)
{
	struct fts_batch *b = &g->batch;
	struct store_message m;
	struct store_file file;
	struct err err;

	b->uid = store_view_uid(v, seq);
	/* One that is gone, or that cannot be read, a search will not find either. */
	if (store_view_message(v, seq, &m) < 0)
		return;
	int64_t id = fts_id(m.guid);
	if (g->check && fts_ids_has(&g->known.all, id))
		return;
	if (store_view_open_message(v, seq, &file, &err) < 0)
		return;
	b->v[b->n].id = id;
	b->v[b->n].fd = file.fd;
	b->v[b->n++].size = file.size;
	b->bytes += file.size;
}

static int may_suspend feed_view(struct feeding *g, struct store_view *v, uint32_t first)
{
	uint32_t count = store_view_count(v);
	int r = 0;

	g->total += count + 1 - first;
	for (uint32_t seq = first; seq <= count && r == 0; seq++) {
		take_message(g, v, seq);
		if (g->batch.n == FTS_BATCH_MAX || g->batch.bytes >= BATCH_BYTES || seq == count)
			r = run_batch(g);
	}
	return r;
}

static int may_suspend feed_box(struct feeding *g, struct str name)
{
	struct store_status st;
	struct store_view *v;
	struct box_job job = { .g = g, .guid = g->batch.box };

	if (store_box_status(g->store, name, &st, &g->err) < 0)
		return 0;
	g->messages += st.messages;
	memcpy(g->batch.box, st.guid, sizeof(g->batch.box));
	int r = work_run(box_job, &job);
	if (g->check)
		job.uid = 0;
	if (r < 0 || job.uid + 1 >= st.uidnext)
		return r;
	if (store_view_open(g->store, name, STORE_VIEW_READ_ONLY | STORE_VIEW_KEEP_RECENT, &v,
			    &g->err) < 0)
		return 0;
	uint32_t first = store_view_seq_from(v, job.uid + 1);
	if (first <= store_view_count(v))
		r = feed_view(g, v, first);
	store_view_close(v);
	return r;
}

static int merge_job(void *arg)
{
	struct feeding *g = arg;

	int r = fts_db_merge(&g->db, !g->merging, &g->err);
	g->merging = true;
	return r;
}

/* Much was added to what was there: the pieces it was added in are made one. */
static int may_suspend merge(struct feeding *g)
{
	int r = g->done >= PROGRESS_MIN && g->done >= g->messages / 8;

	while (r == 1) {
		int64_t before = loop_now();
		r = work_run(merge_job, g);
		if (r == 1 && rest(g->f, loop_now() - before) < 0)
			r = -ECANCELED;
	}
	return r;
}

static int may_suspend feed_all(struct feeding *g, const struct store_box_list *boxes)
{
	int r = 0;

	g->messages = 0;
	for (size_t i = 0; i < boxes->n && r == 0; i++)
		if (boxes->v[i].attrs & STORE_BOX_EXISTS)
			r = feed_box(g, boxes->v[i].name);
	return r;
}

static int known_job(void *arg)
{
	struct feeding *g = arg;

	return fts_db_known(&g->db, &g->memory, &g->known, &g->err);
}

/* A message is missing, and yet all are said to be in: rows were lost. */
static int may_suspend feed_lost(struct feeding *g, const struct store_box_list *boxes)
{
	struct account *ac = g->ac;

	if (g->done || !ac->lacks || loop_now() - ac->checked < RETRY_MS)
		return 0;
	ac->checked = loop_now();
	int r = work_run(known_job, g);
	g->check = r == 0;
	return r < 0 ? r : feed_all(g, boxes);
}

static int may_suspend feed_boxes(struct feeding *g)
{
	auto_arena struct arena a = ARENA_INIT;
	struct store_box_list boxes;

	int r = store_box_list(g->store, &a, &boxes, &g->err);
	if (r == 0)
		r = feed_all(g, &boxes);
	if (r == 0)
		r = feed_lost(g, &boxes);
	g->ac->lacks = false;
	if (r == 0)
		r = merge(g);
	if (r == 0 && g->done)
		r = work_run(is_worn_job, g);
	return r;
}

static int may_suspend feed(struct fts *f, struct account *ac, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct feeding *g = ARENA_NEW(&a, struct feeding);

	g->f = f;
	g->ac = ac;
	g->batch.db = &g->db;
	int r = store_open(f->set.pool, str_from(ac->path), &g->store, err);
	if (r < 0)
		return r;
	r = work_run(open_job, g);
	if (r == 0)
		r = feed_boxes(g);
	for (unsigned i = 0; i < g->batch.n; i++)
		close(g->batch.v[i].fd);
	(void)!work_run(close_job, g);
	store_close(g->store);
	arena_done(&g->memory);
	*err = g->err;
	return r;
}

static void may_suspend start_again(struct fts *f, struct account *ac, const char *why)
{
	report(f, ac, FTS_DAMAGED, why);
	ac->damaged = false;
	(void)!work_run(remove_job, ac);
	/* What is damaged again at once is not the index. */
	if (loop_now() - ac->made_again < RETRY_MS)
		ac->not_before = loop_now() + RETRY_MS;
	ac->made_again = loop_now();
	/* What began before found the old one. */
	ac->damaged = false;
	ac->made++;
	fts_notice(f, str_from(ac->path), FTS_USED);
}

static int may_suspend feed_next(struct fts *f)
{
	struct list *first = list_shift(&f->queue);
	struct account *ac = LIST_ITEM(first, struct account, node);
	struct err err = { 0 };

	ac->queued = false;
	if (ac->damaged) {
		start_again(f, ac, "a search could not read it");
		return 0;
	}
	int r = feed(f, ac, &err);
	if (r == -EBADMSG) {
		start_again(f, ac, err.text);
	} else if (r == 1) {
		(void)!work_run(remove_job, ac);
		fts_notice(f, str_from(ac->path), FTS_USED);
	} else if (r < 0 && r != -ECANCELED) {
		ac->not_before = loop_now() + RETRY_MS;
		report(f, ac, FTS_FAILED, err.text);
	}
	return r == -ECANCELED ? r : 0;
}

void fts_main(void *fts)
{
	struct fts *f = fts;
	int r = 0;

	while (r != -ECANCELED) {
		if (list_empty(&f->queue))
			r = waitq_wait(&f->wake, "messages to index", loop_deadline(LOOK_MS));
		else if ((r = rest(f, 0)) == 0)
			r = feed_next(f);
	}
}

struct query {
	struct account *ac;
	struct arena *a;
	const struct fts_query *text; /* NULL: which messages are known */
	struct fts_known known;
	struct fts_ids found;
	struct err err;
};

static int query_job(void *arg)
{
	struct query *q = arg;
	struct fts_db db;

	int r = fts_db_open(&db, q->ac->file, false, &q->err);
	if (r < 0)
		return r;
	r = q->text ? fts_db_find(&db, q->text, q->a, &q->found, &q->err)
		    : fts_db_known(&db, q->a, &q->known, &q->err);
	fts_db_close(&db);
	return r;
}

/* A search goes on without the index; the index does not stay as it is. */
static int may_suspend run_query(struct fts *f, struct query *q)
{
	int r = 0;

	while (r == 0 && f->asking >= QUERIES_MAX)
		r = waitq_wait(&f->asked, "a query of a full-text index", loop_deadline(QUERY_MS));
	if (r < 0)
		return r;
	unsigned made = q->ac->made;
	f->asking++;
	r = work_run(query_job, q);
	f->asking--;
	waitq_wake_one(&f->asked);
	if (r == -EBADMSG && made == q->ac->made)
		q->ac->damaged = true;
	if (r < 0)
		fts_notice(f, str_from(q->ac->path), FTS_USED);
	return r;
}

int fts_known(struct fts *f, struct str mail_path, struct arena *a, struct fts_known *out)
{
	struct query q = { .ac = f ? account_of(f, mail_path) : NULL, .a = a };

	if (!q.ac)
		return -ENOENT;
	int r = run_query(f, &q);
	if (r == 0)
		*out = q.known;
	return r;
}

int fts_find(struct fts *f, struct str mail_path, const struct fts_query *text, struct arena *a,
	     struct fts_ids *out)
{
	struct query q = { .ac = f ? account_of(f, mail_path) : NULL, .a = a, .text = text };

	if (!q.ac)
		return -ENOENT;
	int r = run_query(f, &q);
	if (r == 0)
		*out = q.found;
	return r;
}
