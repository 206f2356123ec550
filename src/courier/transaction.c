/* MAIL, RCPT, and the content: one message for some recipients over an open session. */
#include <errno.h>
#include <inttypes.h>

#include "base/arena.h"
#include "core/stream.h"
#include "courier/attempt.h"
#include "courier/client.h"
#include "courier/config.h"
#include "courier/content.h"
#include "courier/verdict.h"
#include "courier/xtext.h"
#include "dns/idna.h"
#include "queue/envelope.h"

/* Replies are read after so many commands: more of them could fill the windows of both sides, who
 * would wait for each other then (RFC 2920 3.1). */
#define FLIGHT_MAX 50

/* A message up to this size travels behind its envelope, before anything is known of that. */
#define EARLY_CONTENT_MAX BODY_BLOCK

struct transaction {
	struct client *c;
	struct attempt *t;
	size_t *who; /* indices of recipients */
	size_t n, accepted;
	size_t heard;  /* recipients with a reply */
	bool open;     /* MAIL was accepted */
	bool early;    /* DATA or BDAT left with the envelope */
	bool chunking; /* BDAT instead of DATA */
	bool all_sent; /* the server may have accepted it, whatever we hear */
	const char *body_type;
	bool smtputf8, a_labels;
};

static struct attempt_recipient *recipient(const struct transaction *x, size_t i)
{
	return &x->t->recipients[x->who[i]];
}

/* Those without an answer. */
static void settle_rest(struct transaction *x, const struct verdict *v)
{
	for (size_t i = 0; i < x->n; i++) {
		struct attempt_recipient *r = recipient(x, i);
		if (!r->accepted && r->tried)
			continue;
		attempt_settle(x->t, x->who[i], v);
		/* RFC 5321 4.5.3.2.6: it may be there already; another server would be sent a
		 * second copy for certain. */
		r->settled |= x->all_sent && (r->accepted || i >= x->heard);
		r->accepted = false;
	}
}

/* The connection failed, or the server said 421. Returns what ends the session. */
static int lose(struct transaction *x, int error)
{
	struct verdict v;

	if (error < 0) {
		client_verdict(x->c, error, &v);
	} else {
		verdict_from_reply(&v, &x->c->reply, NULL);
		x->all_sent = false;
		error = -ECONNABORTED;
	}
	settle_rest(x, &v);
	x->c->closing = true;
	return error;
}

static int may_suspend hear(struct transaction *x, const char *stage, int64_t ms)
{
	x->c->stage = stage;
	int r = client_hear(x->c, ms);
	if (r < 0 || x->c->closing)
		return lose(x, r);
	return 0;
}

/* content_prepare has seen that it can be written so. */
static struct str on_the_wire(const struct transaction *x, struct str address)
{
	struct str ascii;

	return x->a_labels && idna_address_to_ascii(address, x->t->arena, &ascii) == 0 ? ascii
										       : address;
}

static void put_xtext(struct transaction *x, const char *name, struct str value)
{
	struct buf b;

	buf_init(&b, x->t->arena, 4 * ENVELOPE_TEXT_MAX);
	courier_xtext_write(&b, value);
	stream_puts(x->c->s, name);
	stream_write(x->c->s, buf_str(&b));
}

/* Parameters that only some servers know. */
static void put_extensions(struct transaction *x)
{
	const struct courier_deliver_in *in = x->t->in;
	struct stream *s = x->c->s;

	if (in->flags & ENVELOPE_REQUIRETLS)
		stream_puts(s, " REQUIRETLS");
	if (envelope_has_priority(in->flags) && client_offers(x->c, COURIER_PRIORITY))
		stream_printf(s, " MT-PRIORITY=%d", envelope_priority(in->flags));
	/* RFC 4954 5: without it the server would take our login for who submitted the message. */
	if (x->c->logged_in && in->submitter.n)
		put_xtext(x, " AUTH=", in->submitter);
	else if (x->c->logged_in)
		stream_puts(s, " AUTH=<>");
	if (!client_offers(x->c, COURIER_DSN))
		return;
	if (in->flags & (ENVELOPE_RET_FULL | ENVELOPE_RET_HDRS))
		stream_puts(s, in->flags & ENVELOPE_RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (in->envid.n)
		put_xtext(x, " ENVID=", in->envid);
}

static void put_mail(struct transaction *x)
{
	struct str sender = on_the_wire(x, x->t->in->sender);
	struct stream *s = x->c->s;

	stream_printf(s, "MAIL FROM:<%" STR_FMT ">", STR_ARG(sender));
	if (client_offers(x->c, COURIER_SIZE))
		stream_printf(s, " SIZE=%" PRIu64, x->t->body.length);
	if (x->body_type)
		stream_printf(s, " BODY=%s", x->body_type);
	if (x->smtputf8)
		stream_puts(s, " SMTPUTF8");
	put_extensions(x);
	stream_puts(s, "\r\n");
	x->c->needs_rset = true;
	x->c->messages++;
}

/* RFC 3461 4.1 */
static void put_notify(struct stream *s, unsigned notify)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ ENVELOPE_NOTIFY_NEVER, "NEVER" },
		{ ENVELOPE_NOTIFY_SUCCESS, "SUCCESS" },
		{ ENVELOPE_NOTIFY_FAILURE, "FAILURE" },
		{ ENVELOPE_NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(notify & names[i].flag))
			continue;
		stream_puts(s, before);
		stream_puts(s, names[i].name);
		before = ",";
	}
}

/* RFC 3461 4.2: what is encoded is the address behind the type. */
static void put_orcpt(struct transaction *x, struct str orcpt)
{
	struct str type, address;
	struct buf b;

	if (!str_cut(orcpt, ';', &type, &address))
		return;
	buf_init(&b, x->t->arena, 4 * ENVELOPE_ORCPT_MAX);
	courier_xtext_write(&b, address);
	stream_printf(x->c->s, " ORCPT=%" STR_FMT ";", STR_ARG(type));
	stream_write(x->c->s, buf_str(&b));
}

static void put_rcpt(struct transaction *x, size_t i)
{
	const struct courier_recipient *r = &x->t->in->recipients[x->who[i]];
	struct stream *s = x->c->s;

	struct str address = on_the_wire(x, r->address);

	stream_printf(s, "RCPT TO:<%" STR_FMT ">", STR_ARG(address));
	if (client_offers(x->c, COURIER_DSN)) {
		put_notify(s, r->notify);
		/* RFC 6533: an address that is not ASCII has another form, which the server may
		 * not know. */
		if (r->orcpt.n && str_is_ascii(r->orcpt))
			put_orcpt(x, r->orcpt);
	}
	stream_puts(s, "\r\n");
}

static int may_suspend hear_mail(struct transaction *x)
{
	struct verdict v;

	int r = hear(x, "sending MAIL FROM", x->c->config->times.mail);
	if (r < 0)
		return r;
	x->open = x->c->reply.code / 100 == 2;
	if (x->open)
		return 0;
	verdict_from_reply(&v, &x->c->reply, "MAIL FROM command");
	x->all_sent = false; /* without MAIL nothing can have been accepted */
	settle_rest(x, &v);
	return 0;
}

/* RFC 5321 4.5.3.1.10: so many were enough for the server; the others are for another transaction.
 * Said with 552 by older ones. */
static bool is_too_many(const struct courier_reply *r)
{
	if (r->code != 452 && r->code != 552)
		return false;
	return !r->enhanced ? r->code == 452
			    : str_eq(str_skip(str_from(r->status), 1), STR(".5.3"));
}

static int may_suspend hear_rcpt(struct transaction *x)
{
	struct verdict v;

	int r = hear(x, "sending RCPT TO", x->c->config->times.rcpt);
	if (r < 0)
		return r;
	struct attempt_recipient *a = recipient(x, x->heard);
	size_t who = x->who[x->heard++];
	/* Behind a MAIL that failed all recipients do. */
	if (!x->open)
		return 0;
	a->accepted = x->c->reply.code / 100 == 2;
	a->tried = a->accepted || !(x->accepted && is_too_many(&x->c->reply));
	if (a->accepted) {
		x->accepted++;
	} else if (a->tried) {
		verdict_from_reply(&v, &x->c->reply, "RCPT TO command");
		attempt_settle(x->t, who, &v);
	}
	return 0;
}

static int may_suspend send_envelope_stepwise(struct transaction *x)
{
	put_mail(x);
	int r = hear_mail(x);
	for (size_t i = 0; i < x->n && x->open && r == 0; i++) {
		put_rcpt(x, i);
		r = hear_rcpt(x);
	}
	return r;
}

static int may_suspend hear_flight(struct transaction *x, bool *mail_heard, size_t until)
{
	int r = *mail_heard ? 0 : hear_mail(x);

	*mail_heard = true;
	while (r == 0 && x->heard < until)
		r = hear_rcpt(x);
	return r;
}

/* What the content begins with, when nothing has been heard yet. A connection that has been idle
 * may be dead, and then nobody could say what the server took. */
static int may_suspend put_early_content(struct transaction *x)
{
	if (!x->chunking) {
		x->early = true;
		stream_puts(x->c->s, "DATA\r\n");
		return 0;
	}
	if (x->c->reused || x->t->body.length > EARLY_CONTENT_MAX)
		return 0;
	x->early = true;
	x->all_sent = true;
	return content_send_chunk(x->c, x->t);
}

static int may_suspend send_envelope_pipelined(struct transaction *x)
{
	bool mail_heard = false;
	int r = 0;

	put_mail(x);
	for (size_t i = 0; i < x->n && r == 0; i++) {
		if (i && i % FLIGHT_MAX == 0)
			r = hear_flight(x, &mail_heard, i);
		if (r == 0)
			put_rcpt(x, i);
	}
	if (r == 0 && (!mail_heard || x->open)) {
		r = put_early_content(x);
		if (r < 0)
			r = lose(x, r);
	}
	return r < 0 ? r : hear_flight(x, &mail_heard, x->n);
}

/* One reply for all who were accepted, or with LMTP one for each (RFC 2033 4.2). */
static int may_suspend hear_end(struct transaction *x)
{
	const char *to = x->chunking ? "BDAT command" : "end of DATA command";
	const char *stage = x->chunking ? "sending BDAT"
					: "sending end of data -- message may be "
					  "sent more than once";
	struct verdict v;
	bool first = true;

	for (size_t i = 0; i < x->n; i++) {
		struct attempt_recipient *a = recipient(x, i);
		if (!a->accepted)
			continue;
		if (first || x->c->lmtp) {
			x->c->stage = stage;
			int r = client_hear(x->c, x->c->config->times.data_end);
			if (r < 0)
				return lose(x, r);
		}
		first = false;
		verdict_from_reply(&v, &x->c->reply, x->c->reply.code / 100 == 2 ? NULL : to);
		attempt_settle(x->t, x->who[i], &v);
		a->accepted = false;
	}
	x->c->needs_rset = false;
	return 0;
}

/* The server does not want the content, or answered before it had all of it. */
static int refuse_content(struct transaction *x, const char *to)
{
	struct verdict v;

	verdict_from_reply(&v, &x->c->reply, to);
	if (v.outcome == COURIER_DELIVERED)
		verdict_set(&v, COURIER_TRY_AGAIN, "4.5.0", "%s answered %d to %s", x->c->relay,
			    x->c->reply.code, to);
	x->all_sent = false;
	settle_rest(x, &v);
	return 0;
}

static int may_suspend send_data(struct transaction *x)
{
	if (!x->early)
		stream_puts(x->c->s, "DATA\r\n");
	int r = hear(x, "sending DATA command", x->c->config->times.data);
	if (r < 0)
		return r;
	if (x->c->reply.code != 354)
		return refuse_content(x, "DATA command");
	if (!x->accepted) {
		/* RFC 2920 3.1: DATA went ahead of the replies, and nobody is to get it. A server
		 * that wants it all the same gets none of it, and we are not to be believed. */
		x->c->closing = true;
		return 0;
	}
	x->c->stage = "sending message body";
	r = content_send_data(x->c, x->t);
	if (r == CONTENT_ANSWERED) {
		x->c->closing = true;
		r = client_hear(x->c, x->c->config->times.data_end);
		return r < 0 ? lose(x, r) : refuse_content(x, "message body");
	}
	if (r < 0)
		return lose(x, r);
	x->all_sent = true;
	return hear_end(x);
}

static int may_suspend send_chunk(struct transaction *x)
{
	if (!x->early) {
		x->c->stage = "sending message body";
		x->all_sent = true;
		int r = content_send_chunk(x->c, x->t);
		if (r < 0)
			return lose(x, r);
	}
	if (x->accepted)
		return hear_end(x);
	return hear(x, "sending BDAT", x->c->config->times.data_end);
}

static int may_suspend run(struct transaction *x)
{
	int r;

	if (x->c->needs_rset) {
		r = client_ask(x->c, "sending RSET", x->c->config->times.reset, STR("RSET"));
		if (r < 0 || x->c->reply.code / 100 != 2)
			return lose(x, r);
		x->c->needs_rset = false;
	}
	r = client_offers(x->c, COURIER_PIPELINING) ? send_envelope_pipelined(x)
						    : send_envelope_stepwise(x);
	if (r < 0)
		return r;
	if (!x->accepted && !x->early)
		return 0;
	return x->chunking ? send_chunk(x) : send_data(x);
}

/* The next recipients of this session, as many as the server and we take at once. */
static size_t choose(struct transaction *x)
{
	uint64_t max = x->t->config->recipients_max;

	if (x->c->caps.rcpt_max && x->c->caps.rcpt_max < max)
		max = x->c->caps.rcpt_max;
	x->n = 0;
	for (size_t i = 0; i < x->t->in->recipients_count && x->n < max; i++) {
		struct attempt_recipient *r = &x->t->recipients[i];
		if (!r->settled && !r->tried)
			x->who[x->n++] = i;
	}
	return x->n;
}

int transactions_run(struct client *c, struct attempt *t)
{
	struct transaction x = { .c = c, .t = t };
	struct content_needs needs;
	struct verdict v;
	int r = 0;

	x.who = ARENA_NEW_ARRAY(t->arena, size_t, t->in->recipients_count);
	r = content_prepare(c, t, &needs, &v);
	if (r < 0) {
		attempt_settle_open(t, &v);
		return r == -EMSGSIZE ? 0 : r;
	}
	x.body_type = needs.body_type;
	x.smtputf8 = needs.smtputf8;
	x.a_labels = needs.a_labels;
	x.chunking = client_offers(c, COURIER_CHUNKING);
	while (r == 0 && !c->closing && choose(&x)) {
		if (c->caps.mail_max && c->messages >= c->caps.mail_max) {
			c->closing = true;
			break;
		}
		x.accepted = x.heard = 0;
		x.open = x.early = x.all_sent = false;
		r = run(&x);
	}
	return r;
}
