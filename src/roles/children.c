#include "roles/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/process.h"
#include "roles/control_ipc.h"
#include "roles/listeners.h"
#include "roles/status_ipc.h"

/* Two of each kind that has copies per worker, and one of each other. */
#define CHILDREN_MAX 40

/* What fails so often at the first start will not come up by itself. */
#define START_FAILURES_MAX 5

enum child_role {
	CHILD_AUTH,
	CHILD_RESOLVER,
	CHILD_COURIER,
	CHILD_FILTER,
	CHILD_MAILBOX,
	CHILD_QUEUE,
	CHILD_FRONT,
	CHILD_WEB,
	CHILD_ROLES
};

static const char *const role_names[CHILD_ROLES] = {
	[CHILD_AUTH] = "auth",	     [CHILD_RESOLVER] = "resolver", [CHILD_COURIER] = "courier",
	[CHILD_MAILBOX] = "mailbox", [CHILD_QUEUE] = "queue",	    [CHILD_FRONT] = "front",
	[CHILD_WEB] = "web",	     [CHILD_FILTER] = "filter",
};

/* Who calls whom. Nothing else is connected. */
static const struct {
	enum child_role caller, server;
} links[] = {
	{ CHILD_FRONT, CHILD_AUTH },	   { CHILD_FRONT, CHILD_QUEUE },
	{ CHILD_FRONT, CHILD_MAILBOX },	   { CHILD_QUEUE, CHILD_MAILBOX },
	{ CHILD_QUEUE, CHILD_AUTH },	   { CHILD_MAILBOX, CHILD_AUTH },
	{ CHILD_MAILBOX, CHILD_MAILBOX },  { CHILD_QUEUE, CHILD_COURIER },
	{ CHILD_COURIER, CHILD_RESOLVER }, { CHILD_COURIER, CHILD_AUTH },
	{ CHILD_FRONT, CHILD_FILTER },	   { CHILD_FILTER, CHILD_RESOLVER },
	{ CHILD_QUEUE, CHILD_FILTER },	   { CHILD_FRONT, CHILD_RESOLVER },
};

struct child {
	enum child_role role;
	unsigned instance;
	struct process process;
	struct ipc_client *control;
	uint64_t born;			 /* order of birth among all lives */
	bool alive;			 /* its control channel takes calls */
	bool ready;			 /* it has answered `start` */
	unsigned failures;		 /* lives in a row that ended before that */
	struct control_reload_in missed; /* what changed while it was reading for its start */
	struct restart_policy policy;
};

static const struct children_config *config;
static struct group *fibers;
static struct child children[CHILDREN_MAX];
static unsigned child_count;
static uint64_t births;
static bool stopping;
static struct waitq changed; /* some child became ready, or ended */

static const char *child_name(const struct child *c)
{
	return role_names[c->role];
}

/* A process that has ended takes no calls; they would wait for the connection of its next life. */
static int check_connected(const struct child *c, struct err *err)
{
	return ipc_client_connected(c->control)
		       ? 0
		       : err_set(err, -EPIPE, "%s has ended", child_name(c));
}

static int may_suspend give_end(struct child *to, const struct child *other, bool serving, int fd,
				struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct control_peer_in in = {
		.service = str_from(child_name(serving ? to : other)),
		.instance = other->instance,
		.serving = serving,
		.socket = fd,
	};
	struct control_peer_out out;

	int r = check_connected(to, err);
	return r < 0 ? r : control_peer(to->control, &in, &a, &out, err);
}

static int may_suspend link_pair(struct child *caller, struct child *server, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, "socketpair");
	auto_close int calling = fds[0], serving = fds[1];
	int r = give_end(server, caller, true, serving, err);
	return r < 0 ? r : give_end(caller, server, false, calling, err);
}

static bool calls(enum child_role a, enum child_role b)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (links[i].caller == a && links[i].server == b)
			return true;
	return false;
}

/* Connect a newborn with everybody who was born before; those that come later connect to it. A
 * second connection would take the place of the first, and the calls on that would be lost. */
static int may_suspend connect_child(struct child *c, struct err *err)
{
	for (unsigned i = 0; i < child_count; i++) {
		struct child *other = &children[i];
		int r = 0;
		if (!other->alive || other->born >= c->born)
			continue;
		if (calls(c->role, other->role))
			r = link_pair(c, other, err);
		/* Workers call each other. */
		if (r == 0 && calls(other->role, c->role))
			r = link_pair(other, c, err);
		/* A peer that dies just now comes back and connects to us. */
		if (r < 0 && !c->alive)
			return r;
	}
	return 0;
}

/* One child that is asked how it is. */
struct question {
	struct child *child;
	struct status_role *answer;
	struct arena *arena;
};

static void ask_child(void *arg)
{
	struct question *q = arg;
	struct control_report_in in = { 0 };
	struct control_report_out out;
	struct err err;

	if (control_report(q->child->control, &in, q->arena, &out, &err) < 0)
		return;
	q->answer->ready = true;
	q->answer->trouble = out.trouble;
	q->answer->metrics = out.metrics;
}

/* All are asked at once: one that hangs costs its own answer, not the others'. */
static int may_suspend report_children(void *ctx, struct status_report_in *in, struct arena *a,
				       struct status_report_out *out, struct err *err)
{
	struct status_role *roles = ARENA_NEW_ARRAY(a, struct status_role, child_count);
	struct question questions[CHILDREN_MAX];
	auto_group struct group g;
	(void)ctx, (void)in, (void)err;

	group_init(&g);
	for (unsigned i = 0; i < child_count; i++) {
		struct child *c = &children[i];
		roles[i] = (struct status_role){ .name = str_from(child_name(c)),
						 .instance = c->instance };
		questions[i] = (struct question){ c, &roles[i], a };
		if (c->ready)
			(void)!fiber_spawn(&g, "report", ask_child, &questions[i]);
	}
	(void)!group_join(&g, LOOP_FOREVER);
	out->roles = roles;
	out->roles_count = child_count;
	out->draining = stopping;
	return 0;
}

/* The one role that calls the supervisor. */
static int may_suspend connect_status(struct child *c, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	static const struct status_ops ops = { .report = report_children };
	struct ipc_server server = { .service = &status_service, .ops = &ops };
	struct control_peer_out out;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, "socketpair");
	auto_close int calling = fds[0];
	if (ipc_serve(fds[1], &server, fibers) < 0)
		return err_set(err, -EAGAIN, "too many fibers");
	struct control_peer_in in = { .service = STR("status"), .socket = calling };
	return control_peer(c->control, &in, &a, &out, err);
}

static int may_suspend give_listeners(struct child *c, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;

	for (unsigned i = 0; i < config->listeners->count; i++) {
		const struct listener *l = &config->listeners->v[i];
		if (strcmp(l->role, child_name(c)) != 0)
			continue;
		struct control_listen_in in = { .name = str_from(l->name),
						.proxied = l->proxied,
						.socket = l->fd };
		struct control_listen_out out;
		int r = check_connected(c, err);
		if (r == 0)
			r = control_listen(c->control, &in, &a, &out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int may_suspend prepare_child(struct child *c, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct control_start_in in = { 0 };
	struct control_start_out out;

	int r = connect_child(c, err);
	if (r == 0 && c->role == CHILD_WEB)
		r = connect_status(c, err);
	if (r == 0)
		r = give_listeners(c, err);
	if (r == 0)
		r = check_connected(c, err);
	if (r == 0)
		r = control_start(c->control, &in, &a, &out, err);
	return r;
}

static int spawn_child(struct child *c, struct err *err)
{
	auto_free char *path = NULL;
	char instance[16];
	int fds[2];

	if (asprintf(&path, "%s/posthorn-%s", config->directory, child_name(c)) < 0)
		check_no_memory();
	snprintf(instance, sizeof(instance), "%u", c->instance);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, "socketpair");

	const char *const argv[] = { path, instance, NULL };
	const int passed[] = { fds[1], config->log_fd };
	struct process_spec spec = {
		.path = path, .argv = argv, .env = config->env, .fds = passed, .fd_count = 2
	};
	int r = process_spawn(&spec, &c->process, err);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	ipc_client_attach(c->control, fds[0]);
	c->born = ++births;
	c->alive = true;
	return 0;
}

/* The name in the log: "mailbox 1". */
static struct str log_name(const struct child *c, char buf[32])
{
	snprintf(buf, 32, "%s %u", child_name(c), c->instance);
	return str_from(buf);
}

static void log_end(const struct child *c, const struct process_end *end)
{
	char how[48], name[32];
	bool orderly = stopping && !end->signalled && end->code == 0;

	snprintf(how, sizeof(how),
		 end->signalled ? "was killed by signal %d" : "exited with status %d", end->code);
	if (orderly)
		log_event(LOG_ROLE_ENDED, LOG_STR("name", log_name(c, name)));
	else
		log_event(LOG_ROLE_DIED, LOG_STR("name", log_name(c, name)), LOG_CSTR("how", how),
			  LOG_INT("pid", c->process.pid));
}

static void log_failure(const struct child *c, const struct err *err)
{
	char name[32];

	log_event(LOG_ROLE_FAILED, LOG_STR("name", log_name(c, name)), LOG_REASON(err));
}

static void may_suspend reload_child(struct child *c, struct control_reload_in in)
{
	auto_arena struct arena a = ARENA_INIT;
	struct control_reload_out out;
	struct err err;

	if (control_reload(c->control, &in, &a, &out, &err) < 0)
		log_event(LOG_CONFIG_FAILED, LOG_REASON(&err));
}

static void may_suspend reload_what_was_missed(struct child *c)
{
	struct control_reload_in in = c->missed;

	c->missed = (struct control_reload_in){ 0 };
	if (in.accounts || in.certificates)
		reload_child(c, in);
}

/* One life: from birth to the end of the process. */
static void may_suspend live_once(struct child *c)
{
	struct err err;
	struct process_end end;
	char name[32];

	if (spawn_child(c, &err) < 0) {
		log_failure(c, &err);
		return;
	}
	int r = prepare_child(c, &err);
	if (r == 0) {
		c->ready = true;
		c->failures = 0;
		log_event(LOG_ROLE_READY, LOG_STR("name", log_name(c, name)));
		waitq_wake_all(&changed);
		reload_what_was_missed(c);
	} else if (!stopping) {
		if (r != -EPIPE) /* it has said itself why it ended */
			log_failure(c, &err);
		process_kill(&c->process, SIGKILL);
	}
	while (process_wait(&c->process, LOOP_FOREVER, &end) < 0)
		process_kill(&c->process, SIGKILL);
	c->failures += !c->ready;
	c->alive = c->ready = false;
	log_end(c, &end);
	process_done(&c->process);
	waitq_wake_all(&changed);
}

static void child_main(void *arg)
{
	struct child *c = arg;

	while (!stopping && !fiber_is_cancelled()) {
		int64_t born = loop_now();
		live_once(c);
		int64_t pause = restart_pause(&c->policy, loop_now() - born);
		if (stopping || fiber_sleep(pause) < 0)
			break;
	}
}

static int add_child(enum child_role role, unsigned instance, struct group *g, struct err *err)
{
	check(child_count < CHILDREN_MAX);
	struct child *c = &children[child_count++];

	*c = (struct child){ .role = role, .instance = instance };
	c->control = ipc_client_new("control", g);
	if (fiber_spawn(g, child_name(c), child_main, c) < 0)
		return err_set(err, -EAGAIN, "too many fibers");
	return 0;
}

static unsigned copies(const struct children_config *cfg, enum child_role role)
{
	switch (role) {
	case CHILD_MAILBOX:
	case CHILD_FRONT:
		return cfg->workers;
	case CHILD_WEB:
		return cfg->web;
	default:
		return 1;
	}
}

int children_start(const struct children_config *cfg, struct group *g, struct err *err)
{
	int r = 0;

	config = cfg;
	fibers = g;
	waitq_init(&changed);
	for (unsigned role = 0; role < CHILD_ROLES && r == 0; role++) {
		for (unsigned i = 0; i < copies(cfg, role) && r == 0; i++)
			r = add_child(role, i, g, err);
	}
	return r;
}

bool children_has_process(pid_t pid)
{
	for (unsigned i = 0; i < child_count; i++)
		if (children[i].alive && children[i].process.pid == pid)
			return true;
	return false;
}

static const struct child *first_not_ready(void)
{
	for (unsigned i = 0; i < child_count; i++)
		if (!children[i].ready)
			return &children[i];
	return NULL;
}

int children_wait_ready(int64_t deadline, struct err *err)
{
	const struct child *missing;

	while ((missing = first_not_ready())) {
		if (missing->failures >= START_FAILURES_MAX)
			return err_set(err, -EIO, "%s does not start", child_name(missing));
		int r = waitq_wait(&changed, "roles to be ready", deadline);
		if (r < 0)
			return err_set(err, r, "%s is not ready", child_name(missing));
	}
	return 0;
}

void children_reload(bool accounts, bool certificates)
{
	struct control_reload_in in = { .accounts = accounts, .certificates = certificates };

	for (unsigned i = 0; i < child_count; i++) {
		struct child *c = &children[i];
		if (c->ready) {
			reload_child(c, in);
			continue;
		}
		c->missed.accounts |= accounts;
		c->missed.certificates |= certificates;
	}
}

static void drain_child(void *arg)
{
	struct child *c = arg;
	auto_arena struct arena a = ARENA_INIT;
	struct control_drain_in in = { 0 };
	struct control_drain_out out;
	struct err err;

	if (control_drain(c->control, &in, &a, &out, &err) < 0)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", child_name(c)), LOG_REASON(&err));
}

/* Sessions end on both sides of a relay at once, so fronts and mailbox workers drain together. */
static void may_suspend drain_roles(unsigned roles, int64_t deadline)
{
	auto_group struct group g;

	group_init(&g);
	for (unsigned i = 0; i < child_count; i++)
		if (children[i].ready && roles & 1u << children[i].role)
			(void)!fiber_spawn(&g, "drain", drain_child, &children[i]);
	(void)!group_join(&g, deadline);
}

static bool any_alive(void)
{
	for (unsigned i = 0; i < child_count; i++)
		if (children[i].alive)
			return true;
	return false;
}

void children_stop(int64_t deadline)
{
	stopping = true;
	drain_roles(1u << CHILD_FRONT | 1u << CHILD_MAILBOX, deadline);
	drain_roles(1u << CHILD_QUEUE, deadline);

	/* The end of its control channel is the end of a role, also of one being prepared. */
	for (unsigned i = 0; i < child_count; i++)
		ipc_client_close(children[i].control);
	while (any_alive())
		if (waitq_wait(&changed, "roles to end", deadline) < 0)
			break;
	for (unsigned i = 0; i < child_count; i++)
		if (children[i].alive)
			process_kill(&children[i].process, SIGKILL);
	while (any_alive())
		if (waitq_wait(&changed, "roles to die", loop_deadline(5000)) < 0)
			break;
}
