/* Telling the sender: a report enters the queue as a message of its own, with the null
 * reverse-path. What there is to tell of a message is collected while it is active, and told in
 * one report of each kind before it becomes something else. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "auth/auth.h"
#include "auth/auth_ipc.h"
#include "base/fd.h"
#include "base/rand.h"
#include "filter/filter_ipc.h"
#include "queue/dsn.h"
#include "queue/queue_state.h"

/* One recipient's part of a report. */
struct telling {
	struct list link; /* in queue_active.tellings */
	enum dsn_action action;
	const struct queue_job *job;
	struct queue_outcome outcome; /* strings in the arena of the active entry */
	bool told;
};

static bool is_wanted(const struct envelope *e, const struct envelope_recipient *r,
		      enum dsn_action action)
{
	static const unsigned bits[DSN_ACTIONS] = {
		[DSN_FAILED] = ENVELOPE_NOTIFY_FAILURE,
		[DSN_DELAYED] = ENVELOPE_NOTIFY_DELAY,
		[DSN_DELIVERED] = ENVELOPE_NOTIFY_SUCCESS,
		[DSN_RELAYED] = ENVELOPE_NOTIFY_SUCCESS,
	};

	/* RFC 5321 4.5.5: nobody is told about what has no sender. */
	if (e->sender.n == 0)
		return false;
	/* RFC 3461 4.1: without a wish, failures and delays are reported. */
	if (r->notify == 0)
		return action == DSN_FAILED || action == DSN_DELAYED;
	return r->notify & bits[action];
}

bool queue_tell(struct queue_job *job, enum dsn_action action, const struct queue_outcome *o)
{
	struct queue_active *active = job->active;
	const struct envelope *envelope = &active->envelope;

	if (!is_wanted(envelope, &envelope->recipients[job->recipient], action))
		return false;
	struct telling *t = ARENA_NEW(&active->arena, struct telling);
	*t = (struct telling){
		.action = action,
		.job = job,
		.outcome = {
			.relay = arena_str(&active->arena, o->relay),
			.tls = arena_str(&active->arena, o->tls),
			.status = arena_str(&active->arena, o->status),
			.text = arena_str(&active->arena, o->text),
		},
	};
	list_append(&active->tellings, &t->link);
	return true;
}

static void add_recipient(struct envelope *report, const struct auth_target *target,
			  struct str sender)
{
	static const enum envelope_kind kinds[] = {
		[AUTH_TARGET_MAILBOX] = ENVELOPE_MAILBOX,
		[AUTH_TARGET_REMOTE] = ENVELOPE_REMOTE,
		[AUTH_TARGET_DISCARD] = ENVELOPE_DISCARD,
	};

	if (target->kind >= ARRAY_LEN(kinds))
		return;
	report->recipients[report->recipient_count++] = (struct envelope_recipient){
		.kind = kinds[target->kind],
		.address = target->address,
		.account = target->account,
		.original = sender,
		.notify = ENVELOPE_NOTIFY_NEVER,
	};
}

/* Where the report goes. 0 with recipients; 0 and none: the sender's address leads nowhere. */
static int may_suspend resolve_sender(struct queue *q, struct str sender, struct arena *a,
				      struct envelope *report)
{
	struct auth_resolve_in in = { .address = sender };
	struct auth_resolve_out out;
	struct err err = { 0 };

	int r = auth_resolve(q->auth, &in, a, &out, &err);
	if (r < 0)
		return r;
	if (out.verdict == AUTH_ALIAS_ERROR)
		return -EAGAIN;
	if ((out.verdict != AUTH_OK && out.verdict != AUTH_NOT_OURS) ||
	    out.targets_count > ENVELOPE_RECIPIENTS_MAX)
		return 0;
	report->recipients = ARENA_NEW_ARRAY(a, struct envelope_recipient, out.targets_count + 1);
	for (size_t i = 0; i < out.targets_count; i++)
		add_recipient(report, &out.targets[i], sender);
	return 0;
}

/* What must not go everywhere does not go back as a whole (RFC 8689 5). */
#define ONLY_HEADER (ENVELOPE_RET_HDRS | ENVELOPE_BINARYMIME | ENVELOPE_REQUIRETLS)

/* As much of the message as goes back. RFC 3461 4.3: only a failure returns all of it. */
static int may_suspend read_original(const struct queue_entry *e, struct arena *a, struct dsn *d)
{
	uint64_t length = queue_entry_content_length(e);
	bool whole = length <= DSN_ORIGINAL_MAX && d->action == DSN_FAILED &&
		     !(d->envelope->flags & ONLY_HEADER);
	size_t n = length < DSN_ORIGINAL_MAX ? (size_t)length : DSN_ORIGINAL_MAX;
	char *bytes = arena_alloc(a, n);

	int r = queue_read(e, queue_entry_content_offset(e), n, bytes);
	if (r < 0)
		return r;
	d->original = str_of(bytes, n);
	d->only_header = !whole;
	if (!whole)
		d->original = dsn_header_of(d->original);
	return 0;
}

/* Tellings of one kind that one report has room for. */
struct group_of {
	struct telling *v[DSN_RECIPIENTS_MAX];
	struct dsn_recipient recipients[DSN_RECIPIENTS_MAX];
	size_t count;
};

static void collect(struct queue_active *active, struct group_of *g)
{
	g->count = 0;
	LIST_FOREACH_SAFE (it, &active->tellings) {
		struct telling *t = LIST_ITEM(it, struct telling, link);
		if (g->count == DSN_RECIPIENTS_MAX)
			return;
		if (g->count && t->action != g->v[0]->action)
			continue;
		list_remove(it);
		g->recipients[g->count] = (struct dsn_recipient){
			.recipient = &active->envelope.recipients[t->job->recipient],
			.status = t->outcome.status,
			.text = t->outcome.text,
			.relay = t->outcome.relay,
		};
		g->v[g->count++] = t;
	}
}

/* Whose recipients are finished when the report is durable. */
static size_t finished_by(const struct queue_active *active, const struct group_of *g,
			  struct arena *a, struct journal_mark **marks)
{
	if (g->v[0]->action != DSN_FAILED)
		return 0;
	*marks = ARENA_NEW_ARRAY(a, struct journal_mark, g->count);
	for (size_t i = 0; i < g->count; i++)
		(*marks)[i] = (struct journal_mark){ active->entry->id, g->v[i]->job->recipient };
	return g->count;
}

/* How long a report waits for its signatures, and how long a filter that has not answered in that
 * time is not asked again. */
#define SIGN_MS	     5000
#define SIGN_MUTE_MS 30000

static int may_suspend ask_for_signatures(struct queue *q, const struct queue_message *m,
					  struct arena *a, struct str *lines, struct err *err)
{
	struct filter_sign_in in = { .body = m->body, .body_size = m->body_size };
	struct filter_sign_out out;

	if (loop_now() < q->filter_mute_until)
		return err_set(err, -EAGAIN, "the filter has not answered lately");
	int64_t limit = fiber_limit_begin(loop_deadline(SIGN_MS));
	int r = filter_sign(q->filter, &in, a, &out, err);
	fiber_limit_end(limit);
	if (r == -ETIMEDOUT)
		q->filter_mute_until = loop_deadline(SIGN_MUTE_MS);
	if (r == 0)
		*lines = out.head;
	return r;
}

/* A report that leaves is signed like all other mail; but one without a signature is better than
 * none. */
static void may_suspend sign(struct queue *q, struct queue_message *m, struct arena *a)
{
	bool leaves = false;
	struct err err = { 0 };

	for (size_t i = 0; i < m->envelope->recipient_count; i++)
		leaves |= m->envelope->recipients[i].kind == ENVELOPE_REMOTE;
	if (!q->config.signs || !leaves)
		return;
	int r = ask_for_signatures(q, m, a, &m->head, &err);
	if (r < 0 && r != -ECANCELED)
		log_event(LOG_QUEUE_UNSIGNED, LOG_CSTR("id", queue_id_text(m->id).c),
			  LOG_REASON(&err));
}

static int may_suspend enter(struct queue *q, const struct dsn *d, struct queue_message *m,
			     struct arena *a)
{
	auto_close int body = memfd_create("report", MFD_CLOEXEC);
	struct buf text;
	struct err err = { 0 };

	buf_init(&text, a, DSN_SIZE_MAX);
	dsn_write(&text, d);
	if (buf_failed(&text))
		return -E2BIG;
	int r = body < 0 ? -errno : fd_write_all(body, buf_str(&text), &err);
	if (r < 0)
		return r;
	m->body = body;
	m->body_size = text.n;
	sign(q, m, a);
	take_fd(&body); /* the journal's now */
	return queue_accept(q, m, &err);
}

static const char *kind_of(enum dsn_action action)
{
	return action == DSN_FAILED    ? "non-delivery"
	       : action == DSN_DELAYED ? "delay"
				       : "delivery status";
}

/* 0: it is in the queue, or there is nobody to tell. */
static int may_suspend report(struct queue *q, struct queue_active *active,
			      const struct group_of *g, struct arena *a)
{
	const struct envelope *envelope = &active->envelope;
	/* RFC 6710 4.5: a report is as urgent as what it is about. */
	uint32_t kept = envelope->flags & (ENVELOPE_SMTPUTF8 | ENVELOPE_PRIORITY_MASK);
	struct envelope to = { .flags = ENVELOPE_8BITMIME | kept };

	int r = resolve_sender(q, envelope->sender, a, &to);
	if (r < 0 || to.recipient_count == 0)
		return r;
	uint64_t about = active->entry->id, id = queue_id_next_at(&q->ids, queue_now_usec(q));
	struct queue_id_text about_text = queue_id_text(about), id_text = queue_id_text(id);
	struct journal_mark *marks = NULL;
	struct queue_message m = { .id = id, .envelope = &to, .body = -1 };
	struct dsn d = {
		.action = g->v[0]->action,
		.fqdn = q->config.fqdn,
		.id = str_from(about_text.c),
		.report_id = str_from(id_text.c),
		.envelope = envelope,
		.recipients = g->recipients,
		.count = g->count,
		.expired = queue_is_expired(q, active),
		.lifetime_ms = q->config.lifetime,
		.arrival_s = queue_id_usec(about) / 1000000,
		.now_s = queue_now_usec(q) / 1000000,
		.random = rand_u64(),
	};
	m.message_id = arena_printf(a, "<%s@%" STR_FMT ">", id_text.c, STR_ARG(d.fqdn));
	m.finished_count = finished_by(active, g, a, &marks);
	m.finished = marks;
	r = read_original(active->entry, a, &d);
	if (r == 0)
		r = enter(q, &d, &m, a);
	if (r == 0)
		log_event(LOG_QUEUE_NOTIFIED, LOG_STR("id", d.id),
			  LOG_CSTR("kind", kind_of(d.action)), LOG_STR("report_id", d.report_id));
	return r;
}

/* A failure that cannot be told now is none: the next attempt fails again. A success that cannot is
 * not worth another delivery. */
static void settle(struct queue *q, struct queue_entry *e, const struct group_of *g, int result)
{
	enum dsn_action action = g->v[0]->action;

	if (action == DSN_DELAYED)
		e->warned = result == 0;
	for (size_t i = 0; action == DSN_FAILED && i < g->count; i++) {
		if (result == 0)
			queue_bounced(q, g->v[i]->job, &g->v[i]->outcome);
		else
			queue_deferred(q, g->v[i]->job, &g->v[i]->outcome);
	}
}

static int may_suspend report_all(struct queue *q, struct queue_active *active)
{
	struct group_of *g = ARENA_NEW(&active->arena, struct group_of);
	int r = 0;

	while (r != -ECANCELED && !list_empty(&active->tellings)) {
		auto_arena struct arena a = ARENA_INIT;
		collect(active, g);
		r = report(q, active, g, &a);
		if (r != -ECANCELED)
			settle(q, active->entry, g, r);
	}
	return r;
}

void queue_report_later(struct queue *q, struct queue_active *active)
{
	q->in_flight++;
	list_append(&q->reports, &active->reporting);
	waitq_wake_one(&q->report_work);
}

void queue_report_run(void *arg)
{
	struct queue *q = arg;
	int r = 0;

	while (r != -ECANCELED) {
		struct list *it = list_shift(&q->reports);
		if (!it) {
			r = waitq_wait(&q->report_work, "something to report", LOOP_FOREVER);
			continue;
		}
		struct queue_active *active = LIST_ITEM(it, struct queue_active, reporting);
		r = report_all(q, active);
		if (r != -ECANCELED) {
			queue_active_release(q, active);
			queue_notes_post(q);
		}
		queue_ended(q);
	}
}
