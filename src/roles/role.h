/* What every role's process does: settings, log, loop, control channel, sandbox, end.
 *
 * A role is a table of functions. role_main runs it: the supervisor's calls arrive as the
 * functions below, in fibers of their own; the process ends when the supervisor closes
 * the control channel. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

struct err;
struct group;
struct ipc_server;
struct ipc_service;
struct sandbox_policy;

struct role {
	const char *name; /* "front" */

	/* The calls this role answers, if any; `server` instead where they need a context. */
	const struct ipc_service *service;
	const void *ops;
	struct ipc_server (*server)(void);
	unsigned work_threads; /* 0: as the settings say */

	/* Before the sandbox closes: open what must be opened by path. */
	int (*prepare)(unsigned instance, struct err *err);

	/* What the process may still do from then on; the policy lives as long as the process. */
	const struct sandbox_policy *(*sandbox)(void);

	/* Begin to serve: fibers go into `g`, which is cancelled at the end. */
	int (*start)(struct group *g, struct err *err);

	/* A connection to another role that this one calls, after `start`. Optional. */
	void (*peer)(struct str service, unsigned instance, int socket);

	/* A listening socket. Optional. */
	void (*listen)(struct str name, bool proxied, int socket);

	/* Bring the gauges up to date. Returns why the role cannot do its work at the moment, or
	 * empty; valid until the next call. Optional. */
	struct str (*report)(void);

	/* Optional; a failed reload keeps what was. */
	int (*reload)(bool accounts, bool certificates, struct err *err);
	void (*drain)(void);

	/* End every fiber that `start` began outside of its group. Optional. */
	void (*end)(void);
};

/* main() of a role. Does not return before the supervisor is gone. */
int role_main(const struct role *r, int argc, char **argv);
