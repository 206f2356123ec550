#include <errno.h>
#include <time.h>

#include "base/err.h"
#include "base/map.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/tls.h"
#include "mime/date.h"
#include "smtp/author.h"
#include "smtp/peer_name.h"
#include "smtp/policy.h"
#include "smtp/received.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/session.h"

#define HEAD_MAX 8192

struct smtp_tx *smtp_tx_begin(struct smtp_session *s)
{
	check(!s->tx);
	s->tx = ARENA_NEW(&s->tx_arena, struct smtp_tx);
	list_init(&s->tx->rcpts);
	return s->tx;
}

void smtp_tx_end(struct smtp_session *s)
{
	if (s->tx && s->tx->body)
		smtp_receive_done(s->tx->body);
	s->tx = NULL;
	arena_reset(&s->tx_arena);
}

/* Mail of users is mended where it can be, for their clients know no better; strangers' mail is
 * refused where lines end in ways that the next server may read differently. */
static enum smtp_data_policy policy(const struct smtp_session *s)
{
	if (s->tx->params.flags & ENVELOPE_BINARYMIME)
		return SMTP_DATA_BINARY;
	switch (s->settings->smtp_bare_lf) {
	case SETTING_SMTP_BARE_LF_REJECT:
		return SMTP_DATA_STRICT;
	case SETTING_SMTP_BARE_LF_NORMALIZE:
		return SMTP_DATA_NORMALIZE;
	default:
		return smtp_is_submission(s) ? SMTP_DATA_NORMALIZE : SMTP_DATA_STRICT;
	}
}

struct smtp_receive *smtp_tx_receive(struct smtp_session *s, bool dots)
{
	const struct settings *set = s->settings;
	struct smtp_receive_options o = {
		.policy = policy(s),
		.dots = dots,
		.cleaning = { .submitted = smtp_is_submission(s), .server = set->fqdn },
		.spool = s->svc->spool,
		.memory_max = (uint64_t)set->spool_memory_max,
		.limits = {
			.head.fields = (size_t)set->smtp_headers_max,
			.head.bytes = (size_t)set->smtp_header_size_max,
			.hops = (size_t)set->smtp_hops_max,
			.size = (uint64_t)set->message_size_limit,
			.line = (uint64_t)set->smtp_text_line_max,
		},
	};
	struct smtp_receive *r = ARENA_NEW(&s->tx_arena, struct smtp_receive);
	smtp_receive_init(r, &s->tx_arena, &o);
	s->tx->body = r;
	return r;
}

static uint64_t take_id(struct smtp_session *s)
{
	if (!s->tx->id)
		s->tx->id = queue_id_next(&s->svc->ids);
	return s->tx->id;
}

static void write_received(struct smtp_session *s, struct buf *head)
{
	const struct smtp_tx *tx = s->tx;
	struct queue_id_text id = queue_id_text(tx->id);
	struct tls_info tls = { 0 };
	struct smtp_trace t = {
		.helo = s->helo,
		.client_name = s->client_name,
		.client_address = s->client->address,
		.fqdn = s->settings->fqdn.p,
		.submitted = s->login.n > 0 || s->client->port == SMTP_PORT_LOCAL,
		.esmtp = s->esmtp,
		.utf8 = tx->params.flags & ENVELOPE_SMTPUTF8,
		.tls = tls_get_info(s->stream, &tls),
		.authenticated = s->login.n > 0,
		.tls_version = tls.version,
		.tls_cipher = tls.cipher,
		.tls_bits = tls.bits,
		.id = id.c,
		.has_priority = envelope_has_priority(tx->params.flags),
		.priority = envelope_priority(tx->params.flags),
		.unix_s = time(NULL),
	};
	if (tx->rcpt_count == 1)
		t.recipient = LIST_ITEM(tx->rcpts.next, struct smtp_rcpt, item)->address;
	smtp_received_write(head, &t);
}

/* What goes on top of the message: the trace, and what a submission server adds when the client
 * left it out (RFC 6409 8.2, 8.3). */
static void write_head(struct smtp_session *s, const struct smtp_head_facts *facts,
		       struct buf *head)
{
	write_received(s, head);
	if (smtp_is_submission(s) && !facts->message_id.n)
		buf_printf(head, "Message-ID: <%s@%s>\r\n", queue_id_text(s->tx->id).c,
			   s->settings->fqdn.p);
	if (smtp_is_submission(s) && !facts->has_date) {
		struct mime_date now = { .unix_s = time(NULL) };
		buf_puts(head, "Date: ");
		mime_date_write(head, &now);
		buf_puts(head, "\r\n");
	}
	/* RFC 5322 3.6 wants one; a program that leaves it out means its envelope's. */
	if (smtp_is_submission(s) && !facts->from_count && s->tx->sender.address.n)
		buf_printf(head, "From: <%" STR_FMT ">\r\n", STR_ARG(s->tx->sender.address));
	/* Text without a header must not become part of this one. */
	if (facts->headless)
		buf_puts(head, "\r\n");
	check(!buf_failed(head));
}

/* Addresses are the same for delivery whatever their case. */
static struct str folded(struct arena *a, struct str address)
{
	struct buf b;

	buf_init(&b, a, address.n);
	buf_put_str(&b, address);
	str_lower_bytes(b.p, b.n);
	return buf_str(&b);
}

/* All targets of all recipients, each address once: an alias and its target may both have been
 * named. */
static void list_recipients(struct smtp_tx *tx, struct arena *a, struct envelope *e)
{
	struct map seen;
	map_init(&seen);
	e->recipients = ARENA_NEW_ARRAY(a, struct envelope_recipient, tx->target_count);
	LIST_FOREACH (it, &tx->rcpts) {
		struct smtp_rcpt *rcpt = LIST_ITEM(it, struct smtp_rcpt, item);
		for (size_t i = 0; i < rcpt->target_count; i++) {
			struct smtp_target *t = &rcpt->targets[i];
			if (map_put(&seen, folded(a, t->address), t))
				continue;
			e->recipients[e->recipient_count++] = (struct envelope_recipient){
				.kind = t->kind,
				.notify = rcpt->params.notify,
				.address = t->address,
				.account = t->account,
				.original = rcpt->address,
				.orcpt = rcpt->params.orcpt,
			};
		}
	}
	map_done(&seen);
}

/* RFC 8689 4.1: what the client demands weighs more than what the header says. */
static uint32_t flags_of(const struct smtp_session *s, const struct smtp_head_facts *facts)
{
	const struct smtp_tx *tx = s->tx;
	uint32_t flags = tx->params.flags;

	if (facts->tls_optional && !(flags & ENVELOPE_REQUIRETLS))
		flags |= ENVELOPE_TLS_OPTIONAL;
	/* RFC 4954 5: whoever names another is not believed. */
	if (s->login.n && str_eq_nocase(tx->params.auth, s->login))
		flags |= ENVELOPE_SUBMITTER;
	return flags;
}

static void fill_message(struct smtp_session *s, const struct smtp_receive *r,
			 struct smtp_message *m)
{
	struct smtp_tx *tx = s->tx;
	struct buf head;
	buf_init(&head, &s->tx_arena, HEAD_MAX);
	write_head(s, &r->facts, &head);
	*m = (struct smtp_message){
		.id = tx->id,
		.head = buf_str(&head),
		.body = r->body.fd,
		.body_size = r->body.size,
		.iprev = s->name.result,
		.envelope = {
			.flags = flags_of(s, &r->facts),
			.sender = tx->sender.address,
			.envid = tx->params.envid,
			.auth_user = s->login,
			.client_name = str_from(s->client_name),
			.client_address = str_from(s->client->address),
			.helo = s->helo,
		},
	};
	list_recipients(tx, &s->tx_arena, &m->envelope);
}

/* The one place that decides what a failure to queue means to the client. */
static const char *reply_for(int error)
{
	switch (error) {
	case -ENOSPC:
	case -EDQUOT:
		return "452 4.3.1 Error: insufficient system storage";
	case -EINVAL:
	case -E2BIG:
		return "554 5.3.0 Error: message cannot be queued";
	case -EAGAIN:
		return "451 4.3.2 Error: the server is shutting down";
	default:
		return "451 4.3.0 Error: queue file write error";
	}
}

static void refuse_message(struct smtp_session *s, const char *reply)
{
	metric_add(reply[0] == '4' ? METRIC_SMTP_POSTPONED : METRIC_SMTP_REJECTED, 1);
	smtp_refuse(s, STR_NONE, "%s", reply);
}

/* Put signatures on top, in the place of those that are there already. False when that cannot be
 * done now: mail that is sent without them may be thrown away where it arrives, so that it rather
 * waits. */
static bool may_suspend sign(struct smtp_session *s, const struct smtp_receive *r,
			     struct smtp_message *m)
{
	struct str lines = STR_NONE;
	struct err err = { 0 };

	if (!s->svc->backend->sign || !smtp_may_relay(s))
		return true;
	if (s->svc->backend->sign(s->svc->ctx, m, &s->tx_arena, &lines, &err) < 0) {
		smtp_report_trouble(s, &err);
		return false;
	}
	if (lines.n && r->facts.has_signature && !r->facts.headless &&
	    smtp_head_retire_signatures(m->body, (size_t)s->settings->smtp_header_size_max, &err) <
		    0)
		smtp_report_trouble(s, &err);
	m->head = arena_printf(&s->tx_arena, "%" STR_FMT "%" STR_FMT, STR_ARG(lines),
			       STR_ARG(m->head));
	return true;
}

/* False when the message was refused. What nobody can check just now is accepted: a filter that is
 * down must not keep mail out. */
static bool may_suspend check_stranger(struct smtp_session *s, struct smtp_message *m)
{
	struct smtp_verdict v = { .refusal = STR_NONE };
	struct err err = { 0 };

	if (!s->svc->backend->examine || smtp_may_relay(s) || smtp_is_loopback(s->client->address))
		return true;
	if (s->svc->backend->examine(s->svc->ctx, m, &s->tx_arena, &v, &err) < 0) {
		smtp_report_trouble(s, &err);
		return true;
	}
	if (v.refusal.n) {
		refuse_message(s, arena_cstr(&s->tx_arena, v.refusal));
		return false;
	}
	m->head = arena_printf(&s->tx_arena, "%" STR_FMT "%" STR_FMT, STR_ARG(v.lines),
			       STR_ARG(m->head));
	return true;
}

static void submit(struct smtp_session *s, const struct smtp_receive *r)
{
	struct smtp_message m;
	struct err err = { 0 };
	const char *refusal;

	/* Who relays is known by his login or network, and need not wait for it. */
	if (!smtp_may_relay(s))
		smtp_peer_name_wait(s);
	smtp_report_message(s, take_id(s), r->facts.message_id);
	if (!smtp_author_check(s, &r->facts, &refusal)) {
		refuse_message(s, refusal);
		return;
	}
	fill_message(s, r, &m);
	m.message_id = r->facts.message_id;
	if (!sign(s, r, &m)) {
		refuse_message(s, "451 4.3.0 Error: the message cannot be signed now");
		return;
	}
	if (!check_stranger(s, &m))
		return;
	int64_t before = loop_now();
	int error = s->svc->backend->submit(s->svc->ctx, &m, &err);
	metric_observe(METRIC_SUBMIT_TIME, (uint64_t)(loop_now() - before));
	if (error < 0) {
		smtp_report_trouble(s, &err);
		refuse_message(s, reply_for(error));
	} else {
		metric_add(METRIC_SMTP_ACCEPTED, 1);
		metric_add(METRIC_SMTP_BYTES, m.body_size);
		smtp_reply(s, "250 2.0.0 Ok: queued as %s", queue_id_text(m.id).c);
	}
}

void smtp_tx_finish(struct smtp_session *s, struct smtp_receive *r)
{
	const char *refusal = smtp_receive_finish(r);
	if (!refusal) {
		submit(s, r);
		return;
	}
	if (r->err.code)
		smtp_report_trouble(s, &r->err);
	refuse_message(s, refusal);
	/* What stands behind it may be meant as commands that somebody else smuggled in. */
	if (smtp_receive_is_smuggling(r))
		s->closing = true;
}
