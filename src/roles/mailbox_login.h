/* Private to mailbox: logins on connections that a worker has already. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct stream;

enum mailbox_login_end {
	MAILBOX_LOGIN_CLOSED,	 /* close the connection */
	MAILBOX_LOGIN_HERE,	 /* `enter` was called, and said yes */
	MAILBOX_LOGIN_ELSEWHERE, /* another worker has it */
};

struct mailbox_login {
	struct stream *stream; /* stays the caller's */
	struct str session, client_address;
	bool secure;
	/* The login is of this worker. 0, -EBUSY, or why it cannot be. */
	int (*enter)(void *ctx, struct str account, struct str tag, struct err *err);
	void *ctx;
	enum mailbox_login_end end;
};

enum mailbox_login_end may_suspend mailbox_login_run(struct mailbox_login *l);
