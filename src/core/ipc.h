/* Calls between roles: written like a function, answered by a fiber of the other process.
 *
 * The functions that callers use and the tables that servers fill are generated from the schema
 * files <service>/<service>.ipc by tools/gen_ipc.py. Many calls travel on one connection at once
 * and are answered in any order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "core/ipc_wire.h"

struct arena;
struct err;
struct group;
struct ipc_client;

/* One call of a service; generated. Decodes `in`, calls the operation, encodes what it gave. */
struct ipc_method {
	const char *name;
	int (*handle)(const void *ops, void *ctx, struct ipc_reader *in, struct ipc_writer *out,
		      struct err *err);
};

struct ipc_service {
	const char *name;
	const struct ipc_method *methods;
	unsigned method_count;
};

struct ipc_server {
	const struct ipc_service *service;
	const void *ops; /* struct <service>_ops */
	void *ctx;	 /* first argument of every operation */

	/* The caller has closed the connection. Optional. */
	void (*closed)(void *ctx);
};

/* Answer calls on a connection (a SOCK_SEQPACKET socket, taken) until the caller closes it. Each
 * call has a fiber in `g` and an arena of its own. *s is copied. 0, or -EAGAIN when no fiber could
 * be started (the descriptor is closed). */
int must_check ipc_serve(int fd, const struct ipc_server *s, struct group *g);

/* The calling end. It outlives its connections: while there is none, calls wait for the next one.
 * `name` is a literal; the fibers that read answers live in `g`. */
struct ipc_client *ipc_client_new(const char *name, struct group *g);

/* Use this connection (taken) from now on. Calls in flight on an earlier one fail with -EPIPE. */
void ipc_client_attach(struct ipc_client *c, int fd);

/* Close the connection, if there is one. */
void ipc_client_detach(struct ipc_client *c);

/* The same, for good: calls that wait for a connection and all later ones fail with -EPIPE,
 * and connections that are attached are closed. */
void ipc_client_close(struct ipc_client *c);
bool ipc_client_connected(const struct ipc_client *c);

/* No calls are in flight; the group has ended. */
void ipc_client_free(struct ipc_client *c);

/* For the generated functions: begin a request in w, then send it and wait for the answer, whose
 * payload is copied to r->arena. Returns the handler's result (its text goes to err when negative),
 * or -ETIMEDOUT, -EPIPE (the other role died; it may or may not have acted), -EAGAIN (it, or we,
 * run too many fibers), -ECANCELED, -E2BIG. */
struct ipc_request {
	const char *name; /* "auth.resolve" */
	uint16_t method;
	int64_t timeout; /* ms */
};
void ipc_request_begin(struct ipc_writer *w);
int may_suspend must_check ipc_client_call(struct ipc_client *c, const struct ipc_request *q,
					   struct ipc_writer *w, struct ipc_reader *r,
					   struct err *err);
