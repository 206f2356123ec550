/* Conversations with a session on a fresh account. */
#pragma once

#include "account.h"
#include "imap/session.h"

/* What the accounts of the scripts to come may store; 0: any number of bytes. */
extern uint64_t session_quota;

/* Run a script (transcript.h) in every mode, each time on a new account with nothing in it but what
 * `prepare` (or NULL) puts there. The login has been answered before the script begins. */
void session_run(const char *script, void (*prepare)(struct account *t));

/* The same with other limits. */
void session_run_limited(const char *script, void (*prepare)(struct account *t),
			 const struct imap_session_limits *limits);
