/* web: health, readiness and metrics over HTTP, for orchestrators and Prometheus.
 *
 * May: accept on the socket it is given, ask the supervisor how the roles are. May not: see
 * anything else. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "core/stream.h"
#include "http/server.h"
#include "roles/acceptor.h"
#include "roles/role.h"
#include "roles/status_ipc.h"

#define CONNECTIONS_MAX 64

/* However a client dawdles, its connection ends. */
#define CONNECTION_MS 120000

static struct {
	struct group ipc, acceptors, clients;
	struct ipc_client *status;
	struct acceptor acceptor;
	unsigned connections;
} web;

/* What must work for a protocol to be served. */
struct protocol {
	const char *name;
	const char *roles[4];
	bool enabled;
};

static int may_suspend ask(struct arena *a, struct status_report_out *out)
{
	struct status_report_in in = { 0 };
	struct err err;

	return status_report(web.status, &in, a, out, &err);
}

static void say_unknown(struct http_response *r)
{
	r->status = 503;
	buf_puts(&r->body, "the supervisor does not answer\n");
}

/* The processes live: anything else is for /readyz. */
static void may_suspend answer_health(const struct http_request *q, struct http_response *r)
{
	auto_arena struct arena a = ARENA_INIT;
	struct status_report_out out;
	(void)q;

	if (ask(&a, &out) < 0)
		say_unknown(r);
	else
		buf_puts(&r->body, "ok\n");
}

/* The first of a protocol's processes that cannot do its work, or NULL. */
static const struct status_role *find_trouble(const struct protocol *p,
					      const struct status_report_out *status)
{
	for (size_t i = 0; i < ARRAY_LEN(p->roles) && p->roles[i]; i++) {
		for (size_t n = 0; n < status->roles_count; n++) {
			const struct status_role *role = &status->roles[n];
			if (str_eq(role->name, str_from(p->roles[i])) &&
			    (!role->ready || role->trouble.n))
				return role;
		}
	}
	return NULL;
}

static void write_protocol(struct http_response *r, const struct protocol *p,
			   const struct status_report_out *status)
{
	const struct status_role *role = find_trouble(p, status);

	if (status->draining) {
		r->status = 503;
		buf_printf(&r->body, "%s not ready: the server is stopping\n", p->name);
	} else if (role) {
		r->status = 503;
		buf_printf(&r->body, "%s not ready: %" STR_FMT " %u: %" STR_FMT "\n", p->name,
			   STR_ARG(role->name), role->instance,
			   STR_ARG(role->ready ? role->trouble : STR("does not answer")));
	} else {
		buf_printf(&r->body, "%s ready\n", p->name);
	}
}

/* /readyz asks for every protocol that is switched on, /readyz?imap for that one. */
static void may_suspend answer_ready(const struct http_request *q, struct http_response *r)
{
	const struct settings *set = settings_get();
	const struct protocol protocols[] = {
		{ "smtp", { "front", "auth", "queue" }, true },
		{ "imap", { "front", "auth", "mailbox" }, set->enable_imap && !set->smtp_only },
		{ "pop3", { "front", "auth", "mailbox" }, set->enable_pop3 && !set->smtp_only },
	};
	auto_arena struct arena a = ARENA_INIT;
	struct status_report_out status;

	if (ask(&a, &status) < 0) {
		say_unknown(r);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		const struct protocol *p = &protocols[i];
		if (q->query.n ? str_eq(q->query, str_from(p->name)) : p->enabled)
			write_protocol(r, p, &status);
	}
	if (r->body.n == 0) {
		r->status = 404;
		buf_puts(&r->body, "no such protocol\n");
	}
}

static void may_suspend answer_metrics(const struct http_request *q, struct http_response *r)
{
	auto_arena struct arena a = ARENA_INIT;
	struct status_report_out status;
	size_t n = 0;
	(void)q;

	if (ask(&a, &status) < 0) {
		say_unknown(r);
		return;
	}
	struct metrics_source *sources =
		ARENA_NEW_ARRAY(&a, struct metrics_source, status.roles_count);
	for (size_t i = 0; i < status.roles_count; i++) {
		const struct status_role *role = &status.roles[i];
		if (role->metrics.n != sizeof(struct metrics_snapshot))
			continue;
		struct metrics_snapshot *snapshot = ARENA_NEW(&a, struct metrics_snapshot);
		memcpy(snapshot, role->metrics.p, sizeof(*snapshot));
		sources[n++] = (struct metrics_source){ arena_cstr(&a, role->name), role->instance,
							snapshot };
	}
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(&r->body, sources, n);
}

static const struct http_route routes[] = {
	{ "/healthz", answer_health },
	{ "/readyz", answer_ready },
	{ "/metrics", answer_metrics },
};

static void client_main(void *arg)
{
	struct stream *s = arg;
	int64_t before = fiber_limit_begin(loop_deadline(CONNECTION_MS));

	http_serve(s, routes, ARRAY_LEN(routes));
	fiber_limit_end(before);
	stream_free(s);
	web.connections--;
}

static void take_client(void *ctx, int fd, const union socket_address *peer)
{
	(void)ctx, (void)peer;
	if (web.connections >= CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	struct stream *s = stream_new(fd);
	web.connections++;
	if (fiber_spawn(&web.clients, "http", client_main, s) < 0) {
		web.connections--;
		stream_free(s);
	}
}

static int web_prepare(unsigned instance, struct err *err)
{
	(void)instance, (void)err;
	group_init(&web.ipc);
	group_init(&web.acceptors);
	group_init(&web.clients);
	web.status = ipc_client_new("status", &web.ipc);
	return 0;
}

static void web_peer(struct str service, unsigned instance, int socket)
{
	(void)instance;
	check(str_eq(service, STR("status")));
	ipc_client_attach(web.status, socket);
}

static void web_listen(struct str name, bool proxied, int socket)
{
	(void)name, (void)proxied;
	web.acceptor.connected = take_client;
	io_init_shared(&web.acceptor.io, socket);
}

static int web_start(struct group *g, struct err *err)
{
	(void)g;
	return acceptor_start(&web.acceptor, &web.acceptors) < 0
		       ? err_set(err, -EAGAIN, "too many fibers")
		       : 0;
}

static void web_end(void)
{
	group_done(&web.acceptors);
	group_done(&web.clients);
	group_done(&web.ipc);
}

static const struct sandbox_policy *web_sandbox(void)
{
	static const struct sandbox_policy policy = { .profile = SANDBOX_SERVER };

	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "web",
		.prepare = web_prepare,
		.sandbox = web_sandbox,
		.start = web_start,
		.peer = web_peer,
		.listen = web_listen,
		.end = web_end,
	};

	return role_main(&role, argc, argv);
}
