/* Sockets in the file system, for root and the owner of the process alone. */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct err;

/* Listen at a path, in the place of whatever is there. `type` is as for socket(2), flags included.
 * The path has a NUL behind it. The descriptor, or -errno. */
int must_check local_socket_listen(struct str path, int type, int backlog, struct err *err);
