/* One message on its way: what is said to each server, and what is known of each recipient. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "courier/body.h"
#include "courier/courier.h"
#include "courier/courier_ipc.h"

struct arena;
struct client;
struct courier_config;
struct verdict;

struct attempt_recipient {
	bool settled;  /* no other server is asked */
	bool tried;    /* by the session that is open */
	bool accepted; /* by the transaction that is open */
	bool answered; /* a server said something about this recipient or the message */
	bool failed;   /* a host could not be asked */
};

struct attempt {
	const struct courier_config *config;
	const struct courier_deliver_in *in;
	struct arena *arena;
	struct courier_result *results;
	struct attempt_recipient *recipients;
	struct body body;
	char *block; /* BODY_BLOCK bytes, or fewer when the message is shorter */
	bool examined;
	bool converted;		   /* the body is ours, and 7-bit text */
	struct body_traits traits; /* once it was examined */

	/* For the answer: of the server that was spoken to last. */
	struct str relay, tls;
	enum courier_trouble trouble;
	bool dsn;
};

/* Say what came of one recipient. Who is neither delivered nor refused stays open for other
 * servers, and this is the last word when there are none. */
void attempt_settle(struct attempt *t, size_t i, const struct verdict *v);

/* The same of all that are not settled. */
void attempt_settle_open(struct attempt *t, const struct verdict *v);

/* A host could not be asked: for those that no server has said anything about it is the last word,
 * when there are no other hosts. "Not now" of one host weighs more than "never" of another. */
void attempt_fail(struct attempt *t, const struct verdict *v);

bool attempt_is_open(const struct attempt *t);

/* Send this body instead, which is taken. */
void attempt_take_body(struct attempt *t, const struct body *body);
void attempt_done(struct attempt *t);

/* Transactions over an open session, for everybody whom it was not tried for. 0, or the error that
 * ended the session; whom that left without an answer has its verdict. */
int may_suspend must_check transactions_run(struct client *c, struct attempt *t);
