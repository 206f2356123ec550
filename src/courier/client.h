/* One connection to an SMTP or LMTP server: its greeting, EHLO, and single commands. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "courier/capabilities.h"
#include "courier/reply.h"

struct courier_config;
struct stream;
struct verdict;

#define CLIENT_HOST_MAX	 255
#define CLIENT_RELAY_MAX (CLIENT_HOST_MAX + INET6_ADDRSTRLEN + 10)
#define CLIENT_TLS_MAX	 160

struct client {
	struct stream *s;
	const struct courier_config *config;
	bool lmtp, esmtp, tls;
	bool logged_in;
	bool closing;	 /* the server goes, or we are out of step: it takes no more commands */
	bool needs_rset; /* a transaction was begun and not ended */
	bool reused;	 /* it comes out of the cache, and has not said anything since */
	struct courier_capabilities caps;
	struct courier_reply reply; /* the last one */
	const char *stage;	    /* literal: "receiving the initial server greeting" */
	char host[CLIENT_HOST_MAX + 1];
	char relay[CLIENT_RELAY_MAX]; /* "mx.example.org[192.0.2.1]:25" */
	char tls_text[CLIENT_TLS_MAX];
	const char *
		tls_result; /* a word of RFC 8460 4.3, "success", or NULL: it did not come so far */
	uint64_t messages;  /* transactions so far */
};

/* The connection is taken. Freed by client_free. */
struct client_peer {
	const char *host, *address;
	uint16_t port;
	bool lmtp;
};
struct client *client_new(const struct courier_config *config, int fd,
			  const struct client_peer *peer);
void client_free(struct client *c);

/* Say QUIT if that makes sense, without waiting for the answer, and free it. */
void may_suspend client_quit(struct client *c);

static inline bool client_offers(const struct client *c, enum courier_extension e)
{
	return c->caps.extensions & e;
}

/* Read the next reply into c->reply, within `ms`. 0; -EPROTO when it is none; an error of the
 * stream, or -ENODATA when the server hung up. */
int may_suspend must_check client_hear(struct client *c, int64_t ms);

/* Send a line and read the reply; `stage` is what is said when that fails. */
int may_suspend must_check client_ask(struct client *c, const char *stage, int64_t ms,
				      struct str line);

/* The greeting. 0, or -EXXX with what it means in *v. */
int may_suspend must_check client_greeting(struct client *c, struct verdict *v);

/* EHLO, or HELO where that is not known, or LHLO. Again after STARTTLS. Results as above. */
int may_suspend must_check client_hello(struct client *c, struct verdict *v);

/* What a failure of the connection means, for recipients that have no answer yet. */
void client_verdict(const struct client *c, int error, struct verdict *v);
