/* What becomes of a recipient after an attempt, whoever made it. */
#include <errno.h>
#include <stdio.h>

#include "core/log.h"
#include "core/metrics.h"
#include "queue/queue_state.h"

/* Two digits that mean something, as the tools that add them up expect. */
static struct str delay_text(const struct queue *q, uint64_t id, char *text, size_t n)
{
	double s = (double)(queue_now_usec(q) - queue_id_usec(id)) / 1e6;

	if (s < 0)
		s = 0;
	snprintf(text, n, "%.*f", s < 1 ? 2 : s < 10 ? 1 : 0, s);
	return str_from(text);
}

void queue_log_outcome(struct queue *q, const struct queue_job *job, enum queue_result result,
		       const struct queue_outcome *o)
{
	static const struct {
		enum log_event_id here, remote;
		enum metric metric;
		const char *history;
	} words[QUEUE_RESULTS] = {
		[QUEUE_SENT] = { LOG_QUEUE_SENT, LOG_REMOTE_SENT, METRIC_QUEUE_SENT, "sent" },
		[QUEUE_POSTPONED] = { LOG_QUEUE_DEFERRED, LOG_REMOTE_DEFERRED,
				      METRIC_QUEUE_POSTPONED, "deferred" },
		[QUEUE_BOUNCED] = { LOG_QUEUE_BOUNCED, LOG_REMOTE_BOUNCED, METRIC_QUEUE_BOUNCED,
				    "bounced" },
	};
	const struct envelope_recipient *r = &job->active->envelope.recipients[job->recipient];
	uint64_t id = job->active->entry->id;
	struct str original = str_eq(r->original, r->address) ? STR_NONE : r->original;
	char delay[32];

	metric_add(words[result].metric, 1);
	queue_history_attempt(q, job, words[result].history, o);
	log_event(job->destination ? words[result].remote : words[result].here,
		  LOG_CSTR("id", queue_id_text(id).c), LOG_STR("to", r->address),
		  LOG_STR("orig_to", original), LOG_STR("relay", o->relay), LOG_STR("tls", o->tls),
		  LOG_STR("delay", delay_text(q, id, delay, sizeof(delay))),
		  LOG_STR("dsn", o->status), LOG_STR("text", o->text));
}

static int64_t age_ms(const struct queue *q, const struct queue_entry *e)
{
	return (queue_now_usec(q) - queue_id_usec(e->id)) / 1000;
}

void queue_deferred(struct queue *q, const struct queue_job *job, const struct queue_outcome *o)
{
	struct queue_entry *e = job->active->entry;

	queue_entry_set_rcpt(e, job->recipient, QUEUE_RCPT_DEFERRED);
	e->remote = e->remote && job->destination;
	e->busy = e->busy && job->busy;
	queue_log_outcome(q, job, QUEUE_POSTPONED, o);
}

void queue_try_later(struct queue *q, struct queue_job *job, const struct queue_outcome *o)
{
	struct queue_entry *e = job->active->entry;

	queue_deferred(q, job, o);
	if (q->config.delay_warning && !e->warned && age_ms(q, e) >= q->config.delay_warning)
		queue_tell(job, DSN_DELAYED, o);
}

void queue_bounced(struct queue *q, const struct queue_job *job, const struct queue_outcome *o)
{
	queue_log_outcome(q, job, QUEUE_BOUNCED, o);
	queue_finish_recipient(q, job->active->entry, job->recipient);
}

void queue_refused(struct queue *q, struct queue_job *job, const struct queue_outcome *o)
{
	if (!queue_tell(job, DSN_FAILED, o))
		queue_bounced(q, job, o);
}

bool queue_is_expired(const struct queue *q, const struct queue_active *active)
{
	int64_t lifetime =
		active->envelope.sender.n ? q->config.lifetime : q->config.bounce_lifetime;

	return age_ms(q, active->entry) > lifetime;
}
