#include "setup/door.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/ipc.h"
#include "core/loop.h"

struct visit {
	struct setup *s;
	door_fn *fn;
	void *arg;
	enum setup_exit result;
};

static void visit_main(void *arg)
{
	struct visit *v = arg;

	v->result = v->fn(v->s, v->arg);
}

enum setup_exit door_run(struct setup *s, door_fn *fn, void *arg)
{
	struct visit v = { s, fn, arg, SETUP_ERROR };
	struct group g;

	loop_init(LOOP_CLOCK_REAL);
	group_init(&g);
	if (fiber_spawn(&g, "setup", visit_main, &v) == 0)
		loop_run();
	loop_done();
	return v.result;
}

static int connect_to(struct str path, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (path.n >= sizeof(name.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s", path.p);
	memcpy(name.sun_path, path.p, path.n);
	if (fd < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return err_sys(err, "%s", path.p);
	return take_fd(&fd);
}

int door_open(struct setup *s, const char *socket, const char *name, struct door *out,
	      struct err *err)
{
	int fd = connect_to(
		arena_printf(&s->arena, "%" STR_FMT "/%s", STR_ARG(s->state_dir), socket), err);

	if (fd < 0)
		return fd;
	group_init(&out->fibers);
	out->role = ipc_client_new(name, &out->fibers);
	ipc_client_attach(out->role, fd);
	return 0;
}

void door_close(struct door *d)
{
	ipc_client_close(d->role);
	group_done(&d->fibers);
	ipc_client_free(d->role);
}
