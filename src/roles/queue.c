/* queue: the journal, and the way of each message from there to its mailboxes.
 *
 * May: read and write the journal directory, call mailbox workers and auth. May not: see the
 * network, mailboxes, account files or keys, start programs. */
#include "queue/queue_server.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/group.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "roles/role.h"

/* The flusher, and what reads bodies for reports. */
#define QUEUE_THREADS 3

#define DRAIN_MS 30000

/* Connections that come before the journal is open wait here: the sandbox closes first. */
#define EARLY_MAX 64

struct early {
	enum {
		EARLY_CALLER,
		EARLY_WORKER,
		EARLY_AUTH
	} kind;
	unsigned instance;
	int fd;
};

static struct {
	struct arena memory;
	struct str journal;
	struct queue *queue; /* NULL until start */
	struct group servers;
	struct early early[EARLY_MAX];
	unsigned early_count;
} role_state;

static void connect_now(const struct early *e)
{
	struct ipc_server server;

	switch (e->kind) {
	case EARLY_WORKER:
		queue_attach_worker(role_state.queue, e->instance, e->fd);
		break;
	case EARLY_AUTH:
		queue_attach_auth(role_state.queue, e->fd);
		break;
	case EARLY_CALLER:
		server = queue_ipc_server(role_state.queue);
		if (ipc_serve(e->fd, &server, &role_state.servers) < 0)
			log_event(LOG_CALL_FAILED, LOG_CSTR("what", "queue"),
				  LOG_CSTR("reason", "too many fibers"));
		break;
	}
}

static void connect_or_keep(struct early e)
{
	if (role_state.queue)
		connect_now(&e);
	else if (role_state.early_count < EARLY_MAX)
		role_state.early[role_state.early_count++] = e;
	else
		close(e.fd);
}

static void queue_peer(struct str service, unsigned instance, int socket)
{
	bool auth = str_eq(service, STR("auth"));

	connect_or_keep((struct early){
		.kind = auth ? EARLY_AUTH : EARLY_WORKER, .instance = instance, .fd = socket });
}

static void queue_serve(int socket)
{
	connect_or_keep((struct early){ .kind = EARLY_CALLER, .fd = socket });
}

static int queue_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();
	(void)instance;

	group_init(&role_state.servers);
	role_state.journal =
		arena_printf(&role_state.memory, "%" STR_FMT "/journal", STR_ARG(set->state_dir));
	return fd_make_dirs(role_state.journal.p, 0700, err);
}

static int queue_role_start(struct group *g, struct err *err)
{
	const struct settings *set = settings_get();
	struct queue_config config = {
		.dir = role_state.journal.p,
		.segment_size = (uint64_t)set->journal_segment_size,
		.commit_messages = (unsigned)set->commit_messages_max,
		.commit_bytes = (uint64_t)set->commit_bytes_max,
		.commit_wait = set->commit_wait,
		.fqdn = set->fqdn,
		.workers = (unsigned)set->workers,
	};
	(void)g;

	int r = queue_start(&config, &role_state.queue, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < role_state.early_count; i++)
		connect_now(&role_state.early[i]);
	role_state.early_count = 0;
	return 0;
}

static void queue_role_drain(void)
{
	(void)!queue_drain(role_state.queue, loop_deadline(DRAIN_MS));
}

static void queue_role_end(void)
{
	group_done(&role_state.servers);
	if (role_state.queue)
		queue_stop(role_state.queue);
	arena_done(&role_state.memory);
}

static const struct sandbox_policy *queue_sandbox(void)
{
	static const char *paths[2];
	static const struct sandbox_policy policy = { .profile = SANDBOX_FILES, .write = paths };

	paths[0] = role_state.journal.p;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "queue",
		.work_threads = QUEUE_THREADS,
		.prepare = queue_prepare,
		.sandbox = queue_sandbox,
		.start = queue_role_start,
		.peer = queue_peer,
		.serve = queue_serve,
		.drain = queue_role_drain,
		.end = queue_role_end,
	};

	return role_main(&role, argc, argv);
}
