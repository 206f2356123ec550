/* Addresses that another server has said do not exist: for a while they are refused here, for
 * senders that go on and on are what blocklists look for. Kept in a file beside the history, which
 * a fiber writes anew when something has changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/work.h"
#include "queue/history.h"
#include "queue/queue_state.h"

#define ADDRESSES_MAX 10000
#define FILE_MAX      ((size_t)64 << 20)
#define WRITE_MS      1000

struct suppressed {
	struct list link; /* in queue_suppression.all, the oldest first */
	struct arena arena;
	struct str address; /* in lower case */
	struct history_line line;
};

void queue_suppression_init(struct queue_suppression *t)
{
	*t = (struct queue_suppression){ 0 };
	map_init(&t->by_address);
	list_init(&t->all);
	waitq_init(&t->changed);
}

static void forget(struct queue_suppression *t, struct suppressed *s)
{
	list_remove(&s->link);
	map_remove(&t->by_address, s->address);
	arena_done(&s->arena);
	free(s);
}

void queue_suppression_done(struct queue_suppression *t)
{
	while (!list_empty(&t->all))
		forget(t, LIST_ITEM(t->all.next, struct suppressed, link));
	map_done(&t->by_address);
}

static struct str fold(struct arena *a, struct str address)
{
	char *p = arena_cstr(a, address);

	str_lower_bytes(p, address.n);
	return str_of(p, address.n);
}

static void remember(struct queue_suppression *t, const struct history_line *l)
{
	struct suppressed *s = calloc(1, sizeof(*s));

	if (!s)
		check_no_memory();
	s->address = fold(&s->arena, l->fields[HISTORY_RECIPIENT]);
	s->line = (struct history_line){ .time_ms = l->time_ms, .id = l->id };
	s->line.kind = STR("suppressed");
	for (size_t i = 0; i < HISTORY_FIELDS; i++)
		s->line.fields[i] = arena_str(&s->arena, l->fields[i]);
	struct suppressed *before = map_get(&t->by_address, s->address);
	if (before)
		forget(t, before);
	list_append(&t->all, &s->link);
	map_put(&t->by_address, s->address, s);
	if (t->by_address.count > ADDRESSES_MAX)
		forget(t, LIST_ITEM(t->all.next, struct suppressed, link));
}

static bool is_over(const struct queue *q, const struct suppressed *s)
{
	return queue_now_usec(q) / 1000 - s->line.time_ms >= q->config.suppress;
}

static struct str path_of(const struct queue *q, struct arena *a)
{
	return arena_printf(a, "%s/" HISTORY_SUPPRESSED, q->config.history_dir);
}

/* At the start, in a thread. */
void queue_suppression_load(struct queue *q)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text;
	struct err err;

	if (!q->config.suppress || !q->config.history_dir ||
	    fd_read_file(path_of(q, &a).p, &a, FILE_MAX, &text, &err) < 0)
		return;
	STR_FOREACH_LINE (text, line) {
		struct history_line l;
		if (history_parse(line, &a, &l) && l.fields[HISTORY_RECIPIENT].n)
			remember(&q->suppression, &l);
	}
}

/* Only what says that there is no such mailbox: everything else may be about the message, or about
 * us. */
static bool is_hard(const struct queue_outcome *o)
{
	return (str_eq(o->status, STR("5.1.1")) || str_eq(o->status, STR("5.1.6"))) &&
	       str_find_byte(o->relay, '[') >= 0;
}

void queue_suppress(struct queue *q, const struct queue_job *job, const struct queue_outcome *o)
{
	const struct envelope_recipient *r = &job->active->envelope.recipients[job->recipient];
	struct history_line l = {
		.time_ms = queue_now_usec(q) / 1000,
		.id = job->active->entry->id,
		.fields = { r->address, o->relay, o->tls, o->status, o->text },
	};

	if (!q->config.suppress || r->kind != ENVELOPE_REMOTE || !is_hard(o))
		return;
	remember(&q->suppression, &l);
	q->suppression.dirty = true;
	waitq_wake_one(&q->suppression.changed);
}

bool queue_is_suppressed(struct queue *q, const struct queue_job *job, struct str *why)
{
	const struct envelope_recipient *r = &job->active->envelope.recipients[job->recipient];
	auto_arena struct arena a = ARENA_INIT;

	if (r->kind != ENVELOPE_REMOTE || q->suppression.by_address.count == 0)
		return false;
	struct suppressed *s = map_get(&q->suppression.by_address, fold(&a, r->address));
	if (!s)
		return false;
	if (is_over(q, s)) {
		forget(&q->suppression, s);
		return false;
	}
	*why = arena_printf(&job->active->arena, "not tried, for it was refused before: %" STR_FMT,
			    STR_ARG(s->line.fields[HISTORY_TEXT]));
	return true;
}

static void drop_what_is_over(struct queue *q)
{
	struct list *all = &q->suppression.all;

	while (!list_empty(all) && is_over(q, LIST_ITEM(all->next, struct suppressed, link)))
		forget(&q->suppression, LIST_ITEM(all->next, struct suppressed, link));
}

struct write_job {
	struct str path, text;
	struct err err;
};

static int run_write(void *arg)
{
	struct write_job *job = arg;

	return fd_replace_file(job->path.p, job->text, 0600, &job->err);
}

static int may_suspend write_file(struct queue *q)
{
	auto_arena struct arena a = ARENA_INIT;
	struct write_job job = { .path = path_of(q, &a) };
	struct buf text;

	drop_what_is_over(q);
	buf_init(&text, &a, FILE_MAX);
	LIST_FOREACH (it, &q->suppression.all) {
		history_write(&LIST_ITEM(it, struct suppressed, link)->line, &text);
	}
	job.text = buf_str(&text);
	q->suppression.dirty = false;
	return work_run(run_write, &job);
}

int queue_unsuppress(struct queue *q, struct str address, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct queue_suppression *t = &q->suppression;
	struct suppressed *s = map_get(&t->by_address, fold(&a, address));

	if (!s)
		return err_set(err, -ENOENT, "the address is not suppressed");
	forget(t, s);
	int r = write_file(q);
	return r < 0 && r != -ECANCELED ? err_set(err, r, "the list cannot be written") : r;
}

void queue_suppression_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		if (!q->suppression.dirty) {
			r = waitq_wait(&q->suppression.changed, "refused addresses", LOOP_FOREVER);
			continue;
		}
		r = fiber_sleep(WRITE_MS);
		if (r == 0 && write_file(q) == -ECANCELED)
			r = -ECANCELED;
	}
}
