#include "roles/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"

/* When descriptors or memory run out, clients wait in the backlog for so long. */
#define ACCEPT_PAUSE_MS 200

void socket_address_write(const union socket_address *a, char out[INET6_ADDRSTRLEN])
{
	const struct in6_addr *v6 = &a->v6.sin6_addr;
	const void *v4 = NULL;

	if (a->any.sa_family == AF_INET)
		v4 = &a->v4.sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(v6))
		v4 = &v6->s6_addr[12];
	if (v4)
		inet_ntop(AF_INET, v4, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, v6, out, INET6_ADDRSTRLEN);
}

/* Errors of a connection that was gone before we took it are nobody's concern. */
static bool is_exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_main(void *arg)
{
	struct acceptor *a = arg;

	for (int r = 0; r == 0;) {
		union socket_address peer;
		socklen_t n = sizeof(peer);
		int fd = accept4(a->io.fd, &peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			a->connected(a->ctx, fd, &peer);
			/* Those who are here already do not wait for everybody at the door. */
			r = fiber_yield();
		} else if (errno == EAGAIN) {
			r = io_wait_readable(&a->io, LOOP_FOREVER);
		} else if (is_exhausted(errno)) {
			log_event(LOG_CALL_FAILED, LOG_CSTR("what", "accept"),
				  LOG_CSTR("reason", strerror(errno)));
			r = fiber_sleep(ACCEPT_PAUSE_MS);
		}
	}
	io_done(&a->io);
}

int acceptor_start(struct acceptor *a, struct group *g)
{
	return fiber_spawn(g, "accept", accept_main, a);
}
