/* POP3 before the login: the AUTHORIZATION state of RFC 1939, with STLS (RFC 2595), AUTH (RFC
 * 5034), CAPA (RFC 2449) and UTF8 (RFC 6856). The front speaks it with a client until it knows who
 * that is. Everything that needs another role or a key goes through pop3_login_ops. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/sasl.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;
struct stream;

struct pop3_credentials {
	const char *method; /* "PLAIN", "LOGIN": for the log; USER and PASS count as PLAIN */
	struct sasl_credentials sasl;
};

struct pop3_login_ops {
	/* Who is it? 0 and the account (in `a`), -EACCES: refused, anything else: not known now.
	 * Takes as long as the throttle wants. */
	int may_suspend (*authenticate)(void *ctx, const struct pop3_credentials *c,
					struct arena *a, struct str *account, struct err *err);
	/* Give the connection away, with the unread input that stream_peek shows. After 0 nothing
	 * more is written to it: the mailbox worker answers the login. -EBUSY: the account has too
	 * many already. */
	int may_suspend (*handover)(void *ctx, struct str account, struct err *err);
	/* The handshake (tls_accept). NULL: STLS is not offered. */
	int may_suspend (*start_tls)(void *ctx, struct stream *s, struct err *err);
};

struct pop3_login_params {
	struct stream *stream; /* stays the caller's */
	const struct pop3_login_ops *ops;
	void *ctx;
	bool secure;	       /* TLS is on already, or the peer is this machine */
	bool allow_cleartext;  /* passwords may cross an insecure connection */
	unsigned failures_max; /* wrong passwords before the connection is closed */
	int64_t time_ms;       /* until the login, whatever the client does */
};

enum pop3_login_end {
	POP3_LOGIN_CLOSED,	/* by either side, in order: close the connection */
	POP3_LOGIN_HANDED_OVER, /* the connection is somebody else's */
};

/* Greet, and serve until the client has logged in or goes away. enum pop3_login_end, or the error
 * of the stream; the reason of a failed handshake or login is in *err. */
int may_suspend must_check pop3_login_run(const struct pop3_login_params *p, struct err *err);

/* The lines of CAPA that do not depend on the state, each with CRLF. */
extern const char pop3_capabilities[];
