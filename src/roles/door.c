#include "roles/door.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/local_socket.h"
#include "core/log.h"
#include "core/settings.h"

#define BACKLOG 16

void door_open(struct door *d, const char *name, bool (*server)(struct ipc_server *out))
{
	auto_arena struct arena a = ARENA_INIT;
	struct str path =
		arena_printf(&a, "%" STR_FMT "/%s", STR_ARG(settings_get()->state_dir), name);
	struct err err;

	*d = (struct door){ .server = server };
	group_init(&d->visitors);
	d->socket = local_socket_listen(path, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
					BACKLOG, &err);
	if (d->socket < 0)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "the door for operators"),
			  LOG_REASON(&err));
}

static void connected(void *ctx, int fd, const union socket_address *peer)
{
	struct door *d = ctx;
	struct ipc_server s;
	(void)peer;

	if (d->server(&s))
		(void)!ipc_serve(fd, &s, &d->visitors);
	else
		close(fd);
}

int door_start(struct door *d, struct group *g, struct err *err)
{
	if (d->socket < 0)
		return 0;
	d->acceptor.connected = connected;
	d->acceptor.ctx = d;
	io_init(&d->acceptor.io, d->socket);
	return acceptor_start(&d->acceptor, g) < 0 ? err_set(err, -EAGAIN, "too many fibers") : 0;
}

void door_close(struct door *d)
{
	group_done(&d->visitors);
}
