/* IMAP behind the login (RFC 3501 section 6.3 on): one fiber per connection in a mailbox worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct fts;
struct store;
struct store_pool;
struct stream;

struct imap_session_limits {
	size_t line;	      /* bytes of one command line */
	size_t literal;	      /* of one literal that is not a message */
	uint64_t append;      /* of one message; 0: any */
	int64_t idle_ms;      /* without a command */
	unsigned errors;      /* commands not understood in a row before the connection is closed */
	int64_t idle_poll_ms; /* how often IDLE looks for changes by other programs */
	int64_t progress_ms;  /* how often a long command says that it is at work */
};

#define IMAP_SESSION_LIMITS                                                                        \
	((struct imap_session_limits){ .line = 65536,                                              \
				       .literal = 65536,                                           \
				       .append = 0,                                                \
				       .idle_ms = 1800000,                                         \
				       .errors = 20,                                               \
				       .idle_poll_ms = 30000,                                      \
				       .progress_ms = 10000 })

struct imap_session_params {
	struct stream *stream; /* holds what the client sent behind the login; stays the caller's */
	struct str tag;	       /* of the login command; empty: it has been answered */
	struct store_pool *pool;
	struct str mail_path; /* where the account's mail lives */
	struct fts *fts;      /* its full-text index, or NULL */
	struct imap_session_limits limits;
	bool may_unauthenticate; /* the caller can serve the next login */
	struct str account;	 /* whose session this is */
	struct str mail_dir;	 /* below which the mail of all accounts lives */
	/* The mail of another account, to be closed. NULL: users share nothing. */
	int may_suspend (*open_account)(void *ctx, struct str account, struct store **out,
					struct err *err);
	/* How many bytes an account may store, 0: any number. NULL: there are no limits. */
	uint64_t may_suspend (*quota)(void *ctx, struct str account);
	void *ctx; /* of these functions */
};

enum imap_session_end {
	IMAP_SESSION_LOGOUT,	   /* the client said so */
	IMAP_SESSION_DISCONNECTED, /* it just went away */
	IMAP_SESSION_TIMEOUT,
	IMAP_SESSION_REFUSED, /* too many errors, or the store failed */
	IMAP_SESSION_CANCELLED,
	IMAP_SESSION_UNAUTHENTICATED, /* somebody else may log in now */
};

/* Answer the login and serve the connection to its end. Everything in *p outlives the call. */
enum imap_session_end may_suspend imap_session_run(const struct imap_session_params *p);
