/* The state of a connection before its login; for the files of the login alone. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "imap/lexer.h"

struct imap_credentials;
struct imap_login_params;

struct imap_login {
	const struct imap_login_params *params;
	struct stream *stream;
	struct err *err;
	struct arena arena; /* reset before each command */
	struct imap_lexer lexer;
	struct str tag; /* of the command being served; empty when it had none */
	bool tls;
	bool secure;
	bool ended;
	bool handed_over;
	unsigned bad;
	unsigned failures;
};

#define IMAP_LOGIN_NEEDS_TLS "NO [PRIVACYREQUIRED] Logging in requires TLS on this connection."

bool imap_login_allowed(const struct imap_login *l);

/* Tag, space, text. Returns 0: the session goes on. */
int may_suspend imap_login_reply(struct imap_login *l, const char *status_and_text);

/* Check the credentials and hand the connection over, or answer why not. */
int may_suspend must_check imap_login_finish(struct imap_login *l,
					     const struct imap_credentials *c);

int may_suspend must_check imap_login_cmd_authenticate(struct imap_login *l);
