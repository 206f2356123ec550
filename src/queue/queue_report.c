/* Telling the sender: a report enters the queue as a message of its own, with the null
 * reverse-path. */
#include <errno.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "auth/auth_ipc.h"
#include "base/rand.h"
#include "queue/dsn.h"
#include "queue/queue_state.h"

static bool is_wanted(const struct envelope *e, const struct envelope_recipient *r,
		      enum queue_report_kind kind)
{
	/* RFC 5321 4.5.5: nobody is told about what has no sender. */
	if (e->sender.n == 0)
		return false;
	if (kind == QUEUE_REPORT_DELIVERED)
		return r->notify & ENVELOPE_NOTIFY_SUCCESS;
	/* RFC 3461 4.1: failures are reported unless the sender wants something else. */
	return r->notify == 0 || r->notify & ENVELOPE_NOTIFY_FAILURE;
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
	if (out.verdict == AUTH_NOT_OURS)
		return -EREMOTE;
	if (out.verdict == AUTH_ALIAS_ERROR)
		return -EAGAIN;
	if (out.verdict != AUTH_OK || out.targets_count > ENVELOPE_RECIPIENTS_MAX)
		return 0;

	report->recipients = ARENA_NEW_ARRAY(a, struct envelope_recipient, out.targets_count + 1);
	for (size_t i = 0; i < out.targets_count; i++) {
		static const enum envelope_kind kinds[] = {
			[AUTH_TARGET_MAILBOX] = ENVELOPE_MAILBOX,
			[AUTH_TARGET_REMOTE] = ENVELOPE_REMOTE,
			[AUTH_TARGET_DISCARD] = ENVELOPE_DISCARD,
		};
		if (out.targets[i].kind >= ARRAY_LEN(kinds))
			continue;
		report->recipients[report->recipient_count++] = (struct envelope_recipient){
			.kind = kinds[out.targets[i].kind],
			.address = out.targets[i].address,
			.account = out.targets[i].account,
			.original = sender,
			.notify = ENVELOPE_NOTIFY_NEVER,
		};
	}
	return 0;
}

/* As much of the message as goes back. */
static int may_suspend read_original(const struct queue_job *job, struct arena *a, struct dsn *d)
{
	const struct queue_entry *e = job->active->entry;
	uint64_t length = queue_entry_content_length(e);
	bool whole = length <= DSN_ORIGINAL_MAX && d->action == DSN_FAILED &&
		     !(d->envelope->flags & (ENVELOPE_RET_HDRS | ENVELOPE_BINARYMIME));
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

static int may_suspend enter(struct queue *q, const struct dsn *d, uint64_t id, struct arena *a,
			     const struct envelope *envelope)
{
	struct buf text;
	struct err err = { 0 };

	buf_init(&text, a, DSN_SIZE_MAX);
	dsn_write(&text, d);
	if (buf_failed(&text))
		return -E2BIG;
	struct queue_message m = {
		.id = id,
		.envelope = envelope,
		.head = buf_str(&text),
		.body = -1,
	};
	return queue_accept(q, &m, &err);
}

int queue_report(struct queue *q, const struct queue_job *job, enum queue_report_kind kind,
		 struct str status, struct str text)
{
	const struct envelope *envelope = &job->active->envelope;
	const struct envelope_recipient *rcpt = &envelope->recipients[job->recipient];
	struct envelope report = { .flags = ENVELOPE_8BITMIME |
					    (envelope->flags & ENVELOPE_SMTPUTF8) };
	auto_arena struct arena a = ARENA_INIT;

	if (!is_wanted(envelope, rcpt, kind))
		return 0;
	int r = resolve_sender(q, envelope->sender, &a, &report);
	if (r < 0 || report.recipient_count == 0)
		return r;

	uint64_t about = job->active->entry->id, id = queue_id_next_at(&q->ids, queue_now_usec(q));
	struct queue_id_text about_text = queue_id_text(about), id_text = queue_id_text(id);
	struct dsn d = {
		.action = kind == QUEUE_REPORT_FAILED ? DSN_FAILED : DSN_DELIVERED,
		.fqdn = q->config.fqdn,
		.id = str_from(about_text.c),
		.report_id = str_from(id_text.c),
		.envelope = envelope,
		.recipient = rcpt,
		.status = status,
		.text = text,
		.arrival_s = queue_id_usec(about) / 1000000,
		.now_s = queue_now_usec(q) / 1000000,
		.random = rand_u64(),
	};
	r = read_original(job, &a, &d);
	if (r == 0)
		r = enter(q, &d, id, &a, &report);
	if (r == 0)
		log_event(LOG_QUEUE_NOTIFIED, LOG_STR("id", d.id),
			  LOG_CSTR("kind", kind == QUEUE_REPORT_FAILED ? "non-delivery"
								       : "delivery status"),
			  LOG_STR("report_id", d.report_id));
	return r;
}
