#include "roles/role.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/fiber_log.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "core/work.h"
#include "roles/control_ipc.h"

/* Passed by the supervisor, as is the log at LOG_FD_ENV (roles/children.c). */
#define CONTROL_FD 3

/* Connections that come before the role has started are kept until it has: nobody is served, or
 * called, outside of the sandbox or with half of the state. */
#define EARLY_MAX 64

struct connection {
	char service[16];
	unsigned instance;
	bool serving;
	int socket;
};

static struct {
	const struct role *role;
	unsigned instance;
	struct group fibers;  /* everything but the main fiber and... */
	struct group servers; /* ...the calls of others */
	struct waitq ended;
	struct connection early[EARLY_MAX];
	unsigned early_count;
	bool started;
	bool control_closed;
	int result;
} self;

static int connect_peer(const struct connection *c, struct err *err)
{
	const struct role *r = self.role;

	if (!c->serving) {
		check(r->peer);
		r->peer(str_from(c->service), c->instance, c->socket);
		return 0;
	}
	struct ipc_server s = r->server
				      ? r->server()
				      : (struct ipc_server){ .service = r->service, .ops = r->ops };
	if (ipc_serve(c->socket, &s, &self.servers) < 0)
		return err_set(err, -EAGAIN, "%s: too many fibers", r->name);
	return 0;
}

static int control_peer_op(void *ctx, struct control_peer_in *in, struct arena *a,
			   struct control_peer_out *out, struct err *err)
{
	struct connection c = { .instance = in->instance, .serving = in->serving };
	(void)ctx, (void)a, (void)out;

	snprintf(c.service, sizeof(c.service), "%" STR_FMT, STR_ARG(in->service));
	if (!self.started && self.early_count == EARLY_MAX)
		return err_set(err, -EAGAIN, "%s: too many connections", self.role->name);
	c.socket = take_fd(&in->socket);
	if (self.started)
		return connect_peer(&c, err);
	self.early[self.early_count++] = c;
	return 0;
}

static int control_listen_op(void *ctx, struct control_listen_in *in, struct arena *a,
			     struct control_listen_out *out, struct err *err)
{
	(void)ctx, (void)a, (void)out, (void)err;
	check(self.role->listen);
	self.role->listen(in->name, in->proxied, take_fd(&in->socket));
	return 0;
}

static int control_start_op(void *ctx, struct control_start_in *in, struct arena *a,
			    struct control_start_out *out, struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)out;
	int r = sandbox_enter(self.role->sandbox(), err);
	if (r == 0)
		r = self.role->start(&self.fibers, err);
	self.started = r == 0;
	for (unsigned i = 0; r == 0 && i < self.early_count; i++)
		r = connect_peer(&self.early[i], err);
	return r;
}

static int control_reload_op(void *ctx, struct control_reload_in *in, struct arena *a,
			     struct control_reload_out *out, struct err *err)
{
	(void)ctx, (void)a, (void)out;
	return self.role->reload ? self.role->reload(in->accounts, in->certificates, err) : 0;
}

static int control_drain_op(void *ctx, struct control_drain_in *in, struct arena *a,
			    struct control_drain_out *out, struct err *err)
{
	(void)ctx, (void)in, (void)a, (void)out, (void)err;
	if (self.role->drain)
		self.role->drain();
	return 0;
}

static int control_report_op(void *ctx, struct control_report_in *in, struct arena *a,
			     struct control_report_out *out, struct err *err)
{
	struct metrics_snapshot snapshot;
	(void)ctx, (void)in, (void)err;

	out->trouble = self.role->report ? self.role->report() : STR_NONE;
	metric_set(METRIC_FIBERS, fiber_count());
	metrics_take(&snapshot);
	out->metrics = arena_str(a, str_of(&snapshot, sizeof(snapshot)));
	return 0;
}

static const struct control_ops control_operations = {
	.peer = control_peer_op,
	.listen = control_listen_op,
	.start = control_start_op,
	.reload = control_reload_op,
	.drain = control_drain_op,
	.report = control_report_op,
};

static void on_control_closed(void *ctx)
{
	(void)ctx;
	self.control_closed = true;
	waitq_wake_all(&self.ended);
}

static void main_fiber(void *unused)
{
	(void)unused;
	struct ipc_server control = { .service = &control_service,
				      .ops = &control_operations,
				      .closed = on_control_closed };
	struct err err;

	self.result = EXIT_FAILURE;
	if (self.role->prepare && self.role->prepare(self.instance, &err) < 0) {
		log_event(LOG_ROLE_FAILED, LOG_CSTR("name", self.role->name), LOG_REASON(&err));
		log_flush();
		/* Fibers that were begun already have nobody to end them. */
		_exit(EXIT_FAILURE);
	}
	if (ipc_serve(CONTROL_FD, &control, &self.fibers) < 0)
		return;
	while (!self.control_closed)
		(void)!waitq_wait(&self.ended, "the supervisor's end", LOOP_FOREVER);
	group_done(&self.servers);
	if (self.role->end)
		self.role->end();
	group_done(&self.fibers);
	self.result = EXIT_SUCCESS;
}

/* As many descriptors as we may have: one session needs up to three. */
static void raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void load_settings(struct arena *a)
{
	static struct settings settings;
	struct err err;

	if (settings_load((const char *const *)environ, NULL, a, &settings, &err) < 0) {
		fprintf(stderr, "posthorn-%s: %s\n", self.role->name, err.text);
		exit(EXIT_FAILURE);
	}
	settings_use(&settings);
}

int role_main(const struct role *r, int argc, char **argv)
{
	struct arena settings_memory = ARENA_INIT;
	struct group main_group;
	uint64_t instance;

	self.role = r;
	if (argc != 2 || str_to_u64(str_from(argv[1]), 255, &instance) < 0) {
		fprintf(stderr, "posthorn-%s is started by posthorn, not by hand\n", r->name);
		return EXIT_FAILURE;
	}
	self.instance = (unsigned)instance;
	load_settings(&settings_memory);
	raise_file_limit();
	struct log_config log = log_config_from_settings(r->name);
	log_init(&log);
	loop_init(LOOP_CLOCK_REAL);
	loop_set_turn_hook(log_flush);
	fiber_log_on_signal();
	/* One heap for all threads: those that glibc makes for each grow by a page at a time, and
	 * keep what they had. */
	(void)mallopt(M_ARENA_MAX, 1);
	work_init(r->work_threads ? r->work_threads : (unsigned)settings_get()->work_threads);
	fiber_set_limit((unsigned)settings_get()->fibers_max);
	group_init(&self.fibers);
	group_init(&self.servers);
	group_init(&main_group);
	waitq_init(&self.ended);

	check(fiber_spawn(&main_group, "main", main_fiber, NULL) == 0);
	loop_run();
	work_done();
	log_flush();
	loop_done();
	arena_done(&settings_memory);
	return self.result;
}
