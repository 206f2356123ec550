#include "smtp/report.h"

#include "base/err.h"
#include "core/tls.h"
#include "smtp/session.h"

#define COMMANDS_MAX 512

static struct str stage(const struct smtp_session *s)
{
	if (!s->verb)
		return STR("CONNECT");
	return s->verb->name.n ? s->verb->name : STR("UNKNOWN");
}

static void put_tally(struct buf *b, const char *name, const struct smtp_tally *t)
{
	if (b->n)
		buf_putc(b, ' ');
	buf_printf(b, "%s=%u", name, t->ok);
	if (t->ok != t->total)
		buf_printf(b, "/%u", t->total);
}

void smtp_report_disconnect(struct smtp_session *s)
{
	auto_buf struct buf b;
	struct smtp_tally all = { 0 };
	buf_init(&b, NULL, COMMANDS_MAX);
	for (unsigned id = 0; id < SMTP_VERB_COUNT; id++) {
		const struct smtp_tally *t = &s->tally[id];
		if (t->total)
			put_tally(&b, smtp_verb_by_id(id)->log_name, t);
		all.total += t->total;
		all.ok += t->ok;
	}
	put_tally(&b, "commands", &all);
	log_event(LOG_SMTP_DISCONNECT, LOG_STR("commands", buf_str(&b)));
}

void smtp_report_end(struct smtp_session *s, enum log_event_id event)
{
	log_event(event, LOG_STR("stage", stage(s)));
}

void smtp_report_reject(struct smtp_session *s, struct str rcpt, struct str reply)
{
	log_event(LOG_SMTP_REJECTED, LOG_STR("verb", stage(s)), LOG_STR("reply", reply),
		  LOG_STR("from", s->tx ? s->tx->sender.address : STR_NONE), LOG_STR("to", rcpt),
		  LOG_CSTR("proto", smtp_protocol(s)), LOG_STR("helo", s->helo));
}

void smtp_report_tls(struct smtp_session *s)
{
	struct tls_info t;
	if (tls_get_info(s->stream, &t))
		log_event(LOG_SMTP_TLS, LOG_CSTR("version", t.version),
			  LOG_CSTR("cipher", t.cipher), LOG_INT("bits", t.bits));
}

void smtp_report_tls_failed(const struct err *err)
{
	log_event(LOG_SMTP_TLS_FAILED, LOG_REASON(err));
}

void smtp_report_login_failed(const char *method, struct str user, const struct err *err)
{
	log_event(LOG_SMTP_AUTH_FAILED, LOG_CSTR("method", method), LOG_REASON(err),
		  LOG_STR("user", user));
}

void smtp_report_trouble(struct smtp_session *s, const struct err *err)
{
	log_event(LOG_SMTP_TEMPORARY, LOG_STR("stage", stage(s)), LOG_REASON(err));
}

void smtp_report_message(struct smtp_session *s, uint64_t id, struct str message_id)
{
	struct queue_id_text text = queue_id_text(id);
	const char *method = !s->login.n ? "" : s->mech == SASL_PLAIN ? "PLAIN" : "LOGIN";
	log_event(LOG_SMTP_CLIENT, LOG_CSTR("id", text.c), LOG_CSTR("method", method),
		  LOG_STR("user", s->login));
	log_event(LOG_SMTP_MESSAGE_ID, LOG_CSTR("id", text.c), LOG_STR("message_id", message_id));
}
