#include "courier/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/stream.h"
#include "core/tls.h"
#include "courier/client.h"
#include "courier/config.h"
#include "courier/login.h"
#include "courier/verdict.h"

static const char *describe(const struct session_wish *w, const struct tls_verified *verified)
{
	if (!verified->ok)
		return "untrusted";
	if (w->tls.need == TLS_NEED_DANE)
		return "DANE verified";
	return strcmp(w->tls.why, "MTA-STS") == 0 ? "MTA-STS verified" : "verified";
}

/* RFC 8460 4.3 */
static const char *result_of(enum tls_fault fault)
{
	switch (fault) {
	case TLS_FAULT_NONE:
		return "success";
	case TLS_FAULT_NAME:
		return "certificate-host-mismatch";
	case TLS_FAULT_EXPIRED:
		return "certificate-expired";
	case TLS_FAULT_UNTRUSTED:
		return "certificate-not-trusted";
	default:
		return "validation-failure";
	}
}

static void note_tls(struct client *c, const struct session_wish *w,
		     const struct tls_verified *verified)
{
	const char *kind = describe(w, verified);
	struct tls_info info;

	metric_add(METRIC_COURIER_TLS_OK, 1);
	if (!tls_get_info(c->s, &info))
		return;
	snprintf(c->tls_text, sizeof(c->tls_text), "%s, %s with cipher %s (%d bits)", kind,
		 info.version, info.cipher, info.bits);
	log_event(LOG_COURIER_TLS, LOG_CSTR("relay", c->relay), LOG_CSTR("kind", kind),
		  LOG_CSTR("version", info.version), LOG_CSTR("cipher", info.cipher),
		  LOG_INT("bits", info.bits));
	if (w->tls.testing && !verified->ok)
		log_event(LOG_COURIER_TLS_FAILED, LOG_CSTR("relay", c->relay),
			  LOG_CSTR("reason", verified->reason),
			  LOG_CSTR("note", "MTA-STS is in testing mode: delivered all the same"));
}

/* TLS failed. Where nobody insists on it a new connection goes without. */
static int give_up(const struct client *c, const struct session_wish *w, int error,
		   const char *reason, struct verdict *v)
{
	metric_add(METRIC_COURIER_TLS_FAILED, 1);
	log_event(LOG_COURIER_TLS_FAILED, LOG_CSTR("relay", c->relay), LOG_CSTR("reason", reason));
	if (error == -EACCES)
		verdict_set(v, w->tls.final ? COURIER_REFUSED : COURIER_TRY_AGAIN, w->tls.status,
			    "%s: the certificate of %s is not valid: %s", w->tls.why, c->relay,
			    reason);
	else
		verdict_set(v, COURIER_TRY_AGAIN, "4.7.5", "%s%sTLS with %s failed: %s", w->tls.why,
			    w->tls.why[0] ? ": " : "", c->relay, reason);
	v->trouble = COURIER_UNREACHABLE;
	if (w->tls.need == TLS_NEED_NOTHING && !w->implicit && error != -ECANCELED)
		return -EAGAIN;
	return error;
}

static int may_suspend start_tls(struct client *c, const struct session_wish *w, struct verdict *v)
{
	bool dane = w->tls.need == TLS_NEED_DANE;
	struct tls_verified verified;
	struct tls_expectation want = {
		.server_name = w->names[0],
		.names = w->names,
		.name_count = w->name_count,
		.dane = dane ? w->dane.records : NULL,
		.dane_count = dane ? w->dane.count : 0,
		.required = dane || w->tls.need == TLS_NEED_AUTHORITY,
	};
	struct err err;

	c->stage = "performing the TLS handshake";
	stream_set_idle(c->s, c->config->times.helo);
	int r = tls_connect(c->s, w->roots, &want, &verified, &err);
	c->tls_result = result_of(verified.fault);
	if (r < 0) {
		c->closing = true;
		return give_up(c, w, r, err.text, v);
	}
	c->tls = true;
	note_tls(c, w, &verified);
	return 0;
}

static int may_suspend upgrade(struct client *c, const struct session_wish *w, struct verdict *v)
{
	bool insist = w->tls.need != TLS_NEED_NOTHING;

	if (w->plain && !insist)
		return 0;
	if (!client_offers(c, COURIER_STARTTLS)) {
		c->tls_result = "starttls-not-supported";
		if (!insist)
			return 0;
		verdict_set(v, w->tls.final ? COURIER_REFUSED : COURIER_TRY_AGAIN,
			    w->tls.final ? w->tls.status : "4.7.4",
			    "%s: TLS is required, but was not offered by %s", w->tls.why, c->relay);
		v->trouble = COURIER_UNREACHABLE;
		return -EPROTO;
	}
	int r = client_ask(c, "sending STARTTLS", c->config->times.helo, STR("STARTTLS"));
	if (r < 0) {
		client_verdict(c, r, v);
		return r;
	}
	if (c->reply.code != 220) {
		if (!insist && !c->closing)
			return 0;
		verdict_from_reply(v, &c->reply, "STARTTLS command");
		verdict_soften(v);
		v->trouble = COURIER_UNREACHABLE;
		return -EPROTO;
	}
	r = start_tls(c, w, v);
	/* RFC 3207 4.2: what was said before does not count any more. */
	return r < 0 ? r : client_hello(c, v);
}

int session_open(struct client *c, const struct session_wish *w, struct verdict *v)
{
	int r = w->implicit ? start_tls(c, w, v) : 0;

	if (r == 0)
		r = client_greeting(c, v);
	if (r == 0)
		r = client_hello(c, v);
	if (r == 0 && !w->implicit)
		r = upgrade(c, w, v);
	if (r == 0 && w->user.n)
		r = login(c, w->user, w->password, v);
	c->logged_in = r == 0 && w->user.n;
	return r;
}
