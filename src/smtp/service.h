/* The SMTP server: what the front process gives it, and the one function that serves a connection.
 *
 * The server knows nothing about accounts or the queue. It asks a backend, which in production
 * (smtp/backend.h) calls the other roles and in the tests is a table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/sasl.h"
#include "base/check.h"
#include "base/str.h"
#include "filter/filter.h"
#include "queue/envelope.h"
#include "queue/queue_id.h"

struct arena;
struct err;
struct settings;
struct smtp_throttle;
struct tls_context;

enum smtp_port {
	SMTP_PORT_MX,	       /* 25: from other servers, for managed domains; no AUTH */
	SMTP_PORT_SUBMISSION,  /* 587: from users; STARTTLS, then AUTH */
	SMTP_PORT_SUBMISSIONS, /* 465: the same with TLS from the first byte */
	SMTP_PORT_LOCAL,       /* a socket in the file system: who can open it may do anything */
};

/* An accepted connection. */
struct smtp_client {
	int fd; /* taken */
	enum smtp_port port;
	const char *address; /* text form, without brackets */
	const char *name;    /* "unknown" as long as nobody has asked */
	bool trusted;	     /* in a network that may relay without a login */
};

struct smtp_target {
	enum envelope_kind kind;
	struct str address;
	struct str account; /* as in struct envelope_recipient */
	bool limited;	    /* the account has a quota */
};

/* What is known about a sender in the hands of a login. */
struct smtp_sender_answer {
	bool denied; /* by the send access file, with code and text */
	unsigned code;
	struct str text;
	bool owned;	/* by the login */
	bool ours;	/* its domain is one of ours, or it has none */
	unsigned pause; /* seconds until the login may send more */
};

/* About one recipient, and who wants to send to it. */
struct smtp_question {
	struct str address;
	struct str sender; /* empty: <> */
	struct str login;  /* empty: nobody logged in */
};

struct smtp_resolution {
	enum auth_verdict verdict;
	struct smtp_target *targets; /* of AUTH_OK and AUTH_NOT_OURS; live in the arena given */
	size_t count;
	unsigned code;	 /* of AUTH_DENIED */
	struct str text; /* of AUTH_DENIED: with its enhanced code, or empty for the usual words */
	struct smtp_sender_answer sender;
};

/* Who a message says it is from. */
struct smtp_claim {
	struct str login;
	struct str *authors;
	size_t count;
};

/* An attempt to log in, and who is asking. */
struct smtp_login {
	struct sasl_credentials credentials;
	enum sasl_mech mech;
	const char *client_address;
	bool tls;
};

/* What the DNS calls an address. */
struct smtp_peer_name {
	enum filter_iprev result;
	struct str name; /* of FILTER_IPREV_PASS; ASCII */
};

/* Can mail for a domain be delivered? */
enum smtp_domain_state {
	SMTP_DOMAIN_UNASKED,
	SMTP_DOMAIN_FOUND,
	SMTP_DOMAIN_MISSING,
	SMTP_DOMAIN_WITHOUT_MAIL, /* it says so: RFC 7505 */
	SMTP_DOMAIN_UNKNOWN,	  /* cannot be found out now */
};

/* A complete message. */
struct smtp_message {
	uint64_t id;
	struct envelope envelope;
	struct str head; /* header lines that go on top */
	int body;	 /* stays the session's */
	uint64_t body_size;
	struct str message_id; /* or empty */
	enum filter_iprev iprev;
};

/* What checks made of it. */
struct smtp_verdict {
	struct str refusal; /* a reply; empty: it is accepted */
	struct str lines;   /* header lines that go on top */
};

/* Everything that the session asks others. Results live in the arena given; err is for the log. A
 * negative return means "cannot be answered now" and becomes a 4xx, except where noted. */
struct smtp_backend {
	int (*resolve)(void *ctx, const struct smtp_question *q, struct arena *a,
		       struct smtp_resolution *out, struct err *err);

	/* The first of the authors that does not belong to the login; empty: all do. */
	int (*find_stranger)(void *ctx, const struct smtp_claim *claim, struct arena *a,
			     struct str *stranger, struct err *err);

	/* Has a limited account no room for so many bytes (0: not announced)? 1 or 0; a negative
	 * return means that it shows when the message is delivered. NULL: nobody knows. */
	int (*is_full)(void *ctx, const struct smtp_target *t, uint64_t size, struct err *err);

	/* The name of a client. 0, or -ECANCELED; what cannot be found out is an answer. NULL:
	 * nobody asks. */
	int (*find_name)(void *ctx, const char *address, struct arena *a,
			 struct smtp_peer_name *out);

	/* What the DNS says of a domain (ASCII). 0, or -ECANCELED. NULL: nobody asks. */
	int (*find_domain)(void *ctx, struct str domain, enum smtp_domain_state *out);

	/* The account's name in *account, or -EACCES for wrong credentials (err: the reason), after
	 * as long a wait as guessing deserves. */
	int (*login)(void *ctx, const struct smtp_login *in, struct arena *a, struct str *account,
		     struct err *err);

	/* What is to be done with a message of a stranger. NULL: they are not checked. A negative
	 * return means that nothing is known about it. */
	int (*examine)(void *ctx, const struct smtp_message *m, struct arena *a,
		       struct smtp_verdict *out, struct err *err);

	/* Header lines that sign a message in the name of its author, empty where we have no key of
	 * his. NULL: nothing is signed. */
	int (*sign)(void *ctx, const struct smtp_message *m, struct arena *a, struct str *lines,
		    struct err *err);

	/* 0 when the message is safe on disk. -ENOSPC: full; -EINVAL, -E2BIG: never acceptable. */
	int (*submit)(void *ctx, const struct smtp_message *m, struct err *err);
};

struct smtp_service {
	const struct settings *settings;
	const struct smtp_backend *backend;
	void *ctx; /* first argument of the backend and of tls() */

	/* The certificates in force, a reference for the caller, or NULL when there is no TLS. */
	struct tls_context *(*tls)(void *ctx);

	struct queue_id_gen ids;
	struct smtp_throttle *throttle; /* NULL: connections are counted elsewhere */
	int spool;	/* directory for large bodies, or -1: memory is all there is */
	bool draining;	/* ask sessions to end at their next command */
	bool can_relay; /* mail to other servers can be delivered */
};

/* Serve one connection to its end. Everything the session owns, the descriptor included, is gone
 * when it returns. *client stays the caller's. */
void may_suspend smtp_session_run(struct smtp_service *svc, const struct smtp_client *client);
