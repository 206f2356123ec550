/* Taking connections from a listening socket, one fiber each. */
#pragma once

#include <netinet/in.h>
#include <sys/un.h>
#include <sys/socket.h>

#include "base/check.h"
#include "core/io.h"

struct group;

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* The text of an IP address; IPv4 through a dual-stack socket looks like IPv4. */
void socket_address_write(const union socket_address *a, char out[INET6_ADDRSTRLEN]);

struct acceptor {
	struct io io; /* of the listening socket */

	/* Takes the connected, non-blocking socket. */
	void (*connected)(void *ctx, int fd, const union socket_address *peer);
	void *ctx;
};

/* Accept until the group is cancelled; then the socket is closed. The acceptor outlives the group.
 * -EAGAIN: too many fibers. */
int must_check acceptor_start(struct acceptor *a, struct group *g);
