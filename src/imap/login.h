/* IMAP before the login (RFC 3501 section 6.1, 6.2): what the front speaks with a client until it
 * knows who that is. Everything that needs another role or a key goes through imap_login_ops. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/sasl.h"
#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;
struct stream;

struct imap_credentials {
	const char *method; /* "PLAIN", "LOGIN": for the log; the LOGIN command counts as PLAIN */
	struct sasl_credentials sasl;
};

/* A connection that has logged in. Unread input is what stream_peek gives. */
struct imap_handover {
	struct stream *stream;
	struct str account; /* as `authenticate` returned it */
	struct str tag;	    /* of the login command, whose answer the mailbox worker writes */
};

struct imap_login_ops {
	/* Who is it? 0 and the account (in `a`), -EACCES: refused, anything else: not known now.
	 * Takes as long as the throttle wants. */
	int may_suspend (*authenticate)(void *ctx, const struct imap_credentials *c,
					struct arena *a, struct str *account, struct err *err);
	/* Give the connection away. After 0 nothing more is written to it. -EBUSY: the account has
	 * too many already. */
	int may_suspend (*handover)(void *ctx, const struct imap_handover *h, struct err *err);
	/* The handshake (tls_accept). NULL: STARTTLS is not offered. */
	int may_suspend (*start_tls)(void *ctx, struct stream *s, struct err *err);
};

struct imap_login_params {
	struct stream *stream; /* stays the caller's */
	const struct imap_login_ops *ops;
	void *ctx;
	bool greeted;	       /* by whoever had the connection before */
	bool secure;	       /* TLS is on already, or the peer is this machine */
	bool allow_cleartext;  /* passwords may cross an insecure connection */
	unsigned failures_max; /* wrong passwords before the connection is closed */
	int64_t time_ms;       /* until the login, whatever the client does */
};

enum imap_login_end {
	IMAP_LOGIN_CLOSED,	/* by either side, in order: close the connection */
	IMAP_LOGIN_HANDED_OVER, /* the connection is somebody else's */
};

/* Greet, and serve until the client has logged in or goes away. enum imap_login_end, or the error
 * of the stream; the reason of a failed handshake or login is in *err. */
int may_suspend must_check imap_login_run(const struct imap_login_params *p, struct err *err);
