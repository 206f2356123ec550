#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "core/fiber.h"
#include "roles/front.h"
#include "roles/front_trust.h"

static const struct front_port known_ports[] = {
	{ .name = "smtp", .service = FRONT_SMTP, .smtp = SMTP_PORT_MX },
	{ .name = "submission", .service = FRONT_SMTP, .smtp = SMTP_PORT_SUBMISSION },
	{ .name = "local", .service = FRONT_SMTP, .smtp = SMTP_PORT_LOCAL },
	{ .name = "submissions",
	  .service = FRONT_SMTP,
	  .smtp = SMTP_PORT_SUBMISSIONS,
	  .tls = true },
	{ .name = "imap", .service = FRONT_IMAP },
	{ .name = "imaps", .service = FRONT_IMAP, .tls = true },
	{ .name = "pop3", .service = FRONT_POP3 },
	{ .name = "pop3s", .service = FRONT_POP3, .tls = true },
};

static const char *client_name(const struct front_client *c)
{
	return c->port->smtp == SMTP_PORT_LOCAL ? "localhost" : "unknown";
}

static void client_main(void *arg)
{
	struct front_client *c = arg;

	if (c->port->proxied && front_proxy_read(c) < 0)
		close(c->fd);
	else if (c->port->service == FRONT_SMTP)
		smtp_session_run(&front.smtp,
				 &(struct smtp_client){ .fd = c->fd,
							.port = c->port->smtp,
							.address = c->address,
							.name = client_name(c),
							.trusted = front_trusts(c->address) });
	else
		front_login_run(c);
	free(c);
}

const char *front_local_address(struct front_client *c)
{
	union socket_address local;
	socklen_t n = sizeof(local);

	if (!c->local_address[0] && getsockname(c->fd, &local.any, &n) == 0)
		socket_address_write(&local, c->local_address);
	return c->local_address;
}

static void start_client(void *port, int fd, const union socket_address *peer)
{
	struct front_client *c = calloc(1, sizeof(*c));

	if (!c)
		check_no_memory();
	c->port = port;
	c->fd = fd;
	if (peer->any.sa_family == AF_UNIX)
		snprintf(c->address, sizeof(c->address), "127.0.0.1");
	else
		socket_address_write(peer, c->address);
	if (fiber_spawn(&front.clients, c->port->name, client_main, c) < 0) {
		close(fd);
		free(c);
	}
}

void front_add_port(struct str name, bool proxied, int fd)
{
	for (size_t i = 0; i < ARRAY_LEN(known_ports); i++) {
		if (!str_eq(name, str_from(known_ports[i].name)))
			continue;
		check(front.port_count < ARRAY_LEN(front.ports));
		struct front_port *p = &front.ports[front.port_count++];
		*p = known_ports[i];
		p->proxied = proxied;
		p->acceptor = (struct acceptor){ .connected = start_client, .ctx = p };
		io_init_shared(&p->acceptor.io, fd);
		return;
	}
	close(fd);
}

int front_accept_start(struct err *err)
{
	for (unsigned i = 0; i < front.port_count; i++)
		if (acceptor_start(&front.ports[i].acceptor, &front.acceptors) < 0)
			return err_set(err, -EAGAIN, "too many fibers");
	return 0;
}
