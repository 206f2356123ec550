/* A role of the running server, called through its socket in the state directory. */
#pragma once

#include "base/check.h"
#include "core/group.h"
#include "setup/setup.h"

struct err;
struct ipc_client;

/* Run `fn` in a fiber, with a loop around it; returns what it returned. */
typedef enum setup_exit door_fn(struct setup *s, void *arg);
enum setup_exit door_run(struct setup *s, door_fn *fn, void *arg);

struct door {
	struct group fibers;
	struct ipc_client *role;
};

/* `name` is that of the role, a literal. 0; -errno, when there is nobody, or nothing to close. */
int must_check door_open(struct setup *s, const char *socket, const char *name, struct door *out,
			 struct err *err);
void may_suspend door_close(struct door *d);
