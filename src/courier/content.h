/* The content of a message on its way to a server. */
#pragma once

#include <stdbool.h>

#include "base/check.h"

struct attempt;
struct client;
struct verdict;

struct content_needs {
	const char *body_type; /* of BODY= (RFC 6152, RFC 3030), or NULL */
	bool smtputf8;
	bool a_labels; /* the domains of addresses in ASCII: the server does not know others */
};

/* Can this server take the message, and what has to be said about it? 0; -EMSGSIZE when the server
 * cannot, with the reason in *v; -errno when it could not be read. */
int may_suspend must_check content_prepare(const struct client *c, struct attempt *t,
					   struct content_needs *out, struct verdict *v);

#define CONTENT_ANSWERED 1

/* With dots doubled and the final one (RFC 5321 4.5.2), flushed. 0; CONTENT_ANSWERED when the
 * server has answered before it had all: nothing more may be sent; -errno. */
int may_suspend must_check content_send_data(struct client *c, struct attempt *t);

/* BDAT (RFC 3030 4.2): one chunk, the last. */
int may_suspend must_check content_send_chunk(struct client *c, struct attempt *t);
