/* The history's file: lines are collected and written a few times a second by a fiber, without a
 * sync of their own. When it has its size it becomes the old one, and the one before goes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/log.h"
#include "core/work.h"
#include "queue/history.h"
#include "queue/queue_state.h"

#define WRITE_MS 200

/* A disk that does not take lines so fast loses some. */
#define PENDING_MAX (4u << 20)

void queue_history_init(struct queue_history *h)
{
	*h = (struct queue_history){ .dir = -1, .fd = -1 };
	buf_init(&h->pending, NULL, PENDING_MAX);
	waitq_init(&h->work);
}

int queue_history_open(struct queue *q, struct err *err)
{
	struct queue_history *h = &q->history;

	if (q->config.history_size == 0 || !q->config.history_dir)
		return 0;
	int r = fd_make_dirs(q->config.history_dir, 0700, err);
	if (r < 0)
		return r;
	h->dir = open(q->config.history_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return h->dir < 0 ? err_sys(err, "%s", q->config.history_dir) : 0;
}

static int open_current(struct queue_history *h)
{
	if (h->fd >= 0)
		return 0;
	h->fd = openat(h->dir, HISTORY_CURRENT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (h->fd < 0)
		return -errno;
	off_t size = lseek(h->fd, 0, SEEK_END);
	h->size = size > 0 ? (uint64_t)size : 0;
	return 0;
}

struct write_job {
	struct queue_history *history;
	struct str text;
	uint64_t size_max;
};

/* Whole lines that the file has room for; one at least in an empty file. */
static size_t fitting(struct str text, uint64_t room, bool empty)
{
	if (text.n <= room)
		return text.n;
	ssize_t end = str_rfind_byte(str_sub(text, 0, room), '\n');
	if (end < 0 && empty)
		end = str_find_byte(text, '\n');
	return (size_t)(end + 1);
}

static int rotate(struct queue_history *h)
{
	close(h->fd);
	h->fd = -1;
	(void)!renameat(h->dir, HISTORY_CURRENT, h->dir, HISTORY_OLD);
	return open_current(h);
}

/* In a thread of the pool. */
static int run_write(void *arg)
{
	struct write_job *job = arg;
	struct queue_history *h = job->history;
	struct str text = job->text;
	struct err err;

	int r = open_current(h);
	while (r == 0 && text.n) {
		uint64_t room = h->size < job->size_max ? job->size_max - h->size : 0;
		size_t n = fitting(text, room, h->size == 0);
		if (n == 0) {
			r = rotate(h);
			continue;
		}
		r = fd_write_all(h->fd, str_sub(text, 0, n), &err);
		h->size += n;
		text = str_skip(text, n);
	}
	return r;
}

/* The two files together take the size of the setting. */
static struct write_job job_of(struct queue *q, struct str text)
{
	return (struct write_job){ &q->history, text, q->config.history_size / 2 };
}

static int may_suspend write_pending(struct queue *q)
{
	struct queue_history *h = &q->history;
	auto_buf struct buf text = h->pending;
	struct write_job job = job_of(q, buf_str(&text));

	buf_init(&h->pending, NULL, PENDING_MAX);
	int r = work_run(run_write, &job);
	if (r < 0 && r != -ECANCELED && !h->failing) {
		struct err err;
		err_set(&err, r, "the history cannot be written");
		log_event(LOG_QUEUE_FAILED, LOG_REASON(&err));
	}
	h->failing = r < 0;
	return r == -ECANCELED ? r : 0;
}

void queue_history_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r == 0) {
		if (q->history.pending.n == 0) {
			r = waitq_wait(&q->history.work, "history", LOOP_FOREVER);
			continue;
		}
		r = fiber_sleep(WRITE_MS);
		if (r == 0)
			r = write_pending(q);
	}
}

void queue_history_done(struct queue *q)
{
	struct queue_history *h = &q->history;
	struct write_job job = job_of(q, buf_str(&h->pending));

	if (h->dir >= 0 && job.text.n)
		(void)!run_write(&job);
	buf_done(&h->pending);
	fd_close_scope(&h->fd);
	fd_close_scope(&h->dir);
}

static void add(struct queue *q, struct history_line *l)
{
	struct queue_history *h = &q->history;

	if (h->dir < 0 || h->pending.n > PENDING_MAX - HISTORY_LINE_MAX)
		return;
	l->time_ms = queue_now_usec(q) / 1000;
	if (h->pending.n == 0)
		waitq_wake_one(&h->work);
	history_write(l, &h->pending);
}

void queue_history_received(struct queue *q, const struct queue_message *m)
{
	const struct envelope *e = m->envelope;
	char size[24];
	struct history_line l = { .id = m->id, .kind = STR("received") };

	snprintf(size, sizeof(size), "%llu", (unsigned long long)(m->head.n + m->body_size));
	l.fields[HISTORY_SENDER] = e->sender;
	l.fields[HISTORY_MESSAGE_ID] = m->message_id;
	l.fields[HISTORY_SIZE] = str_from(size);
	l.fields[HISTORY_CLIENT] = e->client_address;
	l.fields[HISTORY_LOGIN] = e->auth_user;
	add(q, &l);
}

void queue_history_attempt(struct queue *q, const struct queue_job *job, const char *kind,
			   const struct queue_outcome *o)
{
	struct history_line l = { .id = job->active->entry->id, .kind = str_from(kind) };

	l.fields[HISTORY_RECIPIENT] = job->active->envelope.recipients[job->recipient].address;
	l.fields[HISTORY_RELAY] = o->relay;
	l.fields[HISTORY_TLS] = o->tls;
	l.fields[HISTORY_STATUS] = o->status;
	l.fields[HISTORY_TEXT] = o->text;
	add(q, &l);
}

void queue_history_note(struct queue *q, uint64_t id, struct str text)
{
	struct history_line l = { .id = id, .kind = STR("note") };

	l.fields[HISTORY_TEXT] = text;
	add(q, &l);
}
