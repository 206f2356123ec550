/* POP3 behind the login: the TRANSACTION and UPDATE states of RFC 1939, one fiber per connection
 * in a mailbox worker. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct store_pool;
struct stream;

struct pop3_session_params {
	struct stream *stream; /* holds what the client sent behind the login; stays the caller's */
	struct store_pool *pool;
	struct str mail_path; /* where the account's mail lives */
	int64_t idle_ms;      /* without a command */
};

enum pop3_session_end {
	POP3_SESSION_LOGOUT,	   /* QUIT: what was marked is deleted */
	POP3_SESSION_DISCONNECTED, /* nothing is deleted */
	POP3_SESSION_TIMEOUT,
	POP3_SESSION_REFUSED, /* too many errors, or the store failed */
	POP3_SESSION_CANCELLED,
};

/* Answer the login and serve the connection to its end. Everything in *p outlives the call. */
enum pop3_session_end may_suspend pop3_session_run(const struct pop3_session_params *p);
