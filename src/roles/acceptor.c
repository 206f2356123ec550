#include "roles/acceptor.h"

#include <errno.h>
#include <string.h>

#include "core/fiber.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/networks.h"

/* When descriptors or memory run out, clients wait in the backlog for so long. */
#define ACCEPT_PAUSE_MS 200

void socket_address_write(const union socket_address *a, char out[INET6_ADDRSTRLEN])
{
	bool v6 = a->any.sa_family == AF_INET6;

	address_write(v6, v6 ? (const void *)&a->v6.sin6_addr : &a->v4.sin_addr, out);
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
