#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/stream.h"
#include "roles/front.h"

/* When descriptors or memory run out, clients wait in the backlog for so long. */
#define ACCEPT_PAUSE_MS 200

static const struct front_port known_ports[] = {
	{ .name = "smtp", .service = FRONT_SMTP, .smtp = SMTP_PORT_MX },
	{ .name = "submission", .service = FRONT_SMTP, .smtp = SMTP_PORT_SUBMISSION },
	{ .name = "submissions",
	  .service = FRONT_SMTP,
	  .smtp = SMTP_PORT_SUBMISSIONS,
	  .tls = true },
	{ .name = "imap", .service = FRONT_IMAP },
	{ .name = "imaps", .service = FRONT_IMAP, .tls = true },
	{ .name = "pop3", .service = FRONT_POP3 },
	{ .name = "pop3s", .service = FRONT_POP3, .tls = true },
};

void front_add_port(struct str name, bool proxied, int fd)
{
	for (size_t i = 0; i < ARRAY_LEN(known_ports); i++) {
		if (!str_eq(name, str_from(known_ports[i].name)))
			continue;
		check(front.port_count < ARRAY_LEN(front.ports));
		struct front_port *p = &front.ports[front.port_count++];
		*p = known_ports[i];
		p->proxied = proxied;
		io_init_shared(&p->io, fd);
		return;
	}
	close(fd);
}

static void client_main(void *arg)
{
	struct front_client *c = arg;

	if (c->port->proxied && front_proxy_read(c) < 0)
		close(c->fd);
	else if (c->port->service == FRONT_SMTP)
		smtp_session_run(&front.smtp, &(struct smtp_client){ .fd = c->fd,
								     .port = c->port->smtp,
								     .address = c->address,
								     .name = "unknown" });
	else
		front_login_run(c);
	free(c);
}

union peer {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The text of an address; IPv4 through a dual-stack socket looks like IPv4.
 * Is it this machine's? */
static void write_address(const union peer *peer, char out[INET6_ADDRSTRLEN])
{
	const struct in6_addr *v6 = &peer->v6.sin6_addr;
	const void *v4 = NULL;

	if (peer->any.sa_family == AF_INET)
		v4 = &peer->v4.sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(v6))
		v4 = &v6->s6_addr[12];
	if (v4)
		inet_ntop(AF_INET, v4, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, v6, out, INET6_ADDRSTRLEN);
}

const char *front_local_address(struct front_client *c)
{
	union peer local;
	socklen_t n = sizeof(local);

	if (!c->local_address[0] && getsockname(c->fd, &local.any, &n) == 0)
		write_address(&local, c->local_address);
	return c->local_address;
}

static void start_client(const struct front_port *port, int fd, const union peer *peer)
{
	struct front_client *c = calloc(1, sizeof(*c));

	if (!c)
		check_no_memory();
	c->port = port;
	c->fd = fd;
	write_address(peer, c->address);
	if (fiber_spawn(&front.clients, port->name, client_main, c) < 0) {
		close(fd);
		free(c);
	}
}

/* Errors of a connection that was gone before we took it are nobody's concern. */
static bool is_exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_main(void *arg)
{
	struct front_port *port = arg;

	for (int r = 0; r == 0;) {
		union peer peer;
		socklen_t n = sizeof(peer);
		int fd = accept4(port->io.fd, &peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			start_client(port, fd, &peer);
		} else if (errno == EAGAIN) {
			r = io_wait_readable(&port->io, LOOP_FOREVER);
		} else if (is_exhausted(errno)) {
			log_event(LOG_CALL_FAILED, LOG_CSTR("what", "accept"),
				  LOG_CSTR("reason", strerror(errno)));
			r = fiber_sleep(ACCEPT_PAUSE_MS);
		}
	}
	io_done(&port->io);
}

int front_accept_start(struct err *err)
{
	for (unsigned i = 0; i < front.port_count; i++)
		if (fiber_spawn(&front.acceptors, "accept", accept_main, &front.ports[i]) < 0)
			return err_set(err, -EAGAIN, "too many fibers");
	return 0;
}
