/* What the session says in the log. The wording is in core/log_event.def; the client is part of the
 * session's log context. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "core/log.h"

struct err;
struct smtp_session;

void smtp_report_disconnect(struct smtp_session *s);

/* LOG_SMTP_LOST, LOG_SMTP_TIMEOUT, LOG_SMTP_TOO_MANY_ERRORS: what ended it, after which command. */
void smtp_report_end(struct smtp_session *s, enum log_event_id event);

/* A command was refused with `reply`. */
void smtp_report_reject(struct smtp_session *s, struct str rcpt, struct str reply);

void smtp_report_tls(struct smtp_session *s);
void smtp_report_tls_failed(const struct err *err);
void smtp_report_login_failed(const char *method, struct str user, const struct err *err);

/* Something on our side failed; the peer was told to try again. */
void smtp_report_trouble(struct smtp_session *s, const struct err *err);

/* A message enters: where it is from, and its Message-ID. */
void smtp_report_message(struct smtp_session *s, uint64_t id, struct str message_id);
