/* A socket in the state directory, through which root and the server's own user reach a role. */
#pragma once

#include <stdbool.h>

#include "core/group.h"
#include "core/ipc.h"
#include "roles/acceptor.h"

struct door {
	int socket; /* listening, or -1 */
	struct acceptor acceptor;
	struct group visitors; /* the fibers that serve them */

	/* What a visitor may call; false: nothing yet, or nothing any more. */
	bool (*server)(struct ipc_server *out);
};

/* Before the sandbox closes. `name` is that of the socket. A door that cannot be opened is logged,
 * and stays shut: nothing else depends on it. */
void door_open(struct door *d, const char *name, bool (*server)(struct ipc_server *out));

/* Let visitors in, until the group is cancelled. 0 or -EAGAIN. */
int must_check door_start(struct door *d, struct group *g, struct err *err);

/* Send them away. */
void may_suspend door_close(struct door *d);
