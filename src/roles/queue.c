/* queue: the journal, and the way of each message from there to its mailboxes.
 *
 * May: read and write the directories of the journal and the history, call mailbox workers, auth,
 * the filter and the courier, accept operators on a local socket. May not: see the network,
 * mailboxes, account files or keys, start programs. */
#include "queue/queue_server.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "queue/history.h"
#include "queue/operator.h"
#include "roles/door.h"
#include "roles/role.h"

/* The flusher, and what reads bodies for reports. */
#define QUEUE_THREADS 3

#define DRAIN_MS 30000

static struct {
	struct arena memory;
	struct str journal;
	struct str history;
	struct door operators;
	struct queue *queue; /* NULL until start */
} role_state;

static struct ipc_server queue_server(void)
{
	return queue_ipc_server(role_state.queue);
}

static void queue_peer(struct str service, unsigned instance, int socket)
{
	if (str_eq(service, STR("auth")))
		queue_attach_auth(role_state.queue, socket);
	else if (str_eq(service, STR("courier")))
		queue_attach_courier(role_state.queue, socket);
	else if (str_eq(service, STR("filter")))
		queue_attach_filter(role_state.queue, socket);
	else
		queue_attach_worker(role_state.queue, instance, socket);
}

static struct str queue_role_report(void)
{
	return role_state.queue ? queue_trouble(role_state.queue)
				: STR("the journal is being read");
}

static bool operator_server(struct ipc_server *out)
{
	if (!role_state.queue)
		return false;
	*out = queue_operator_server(role_state.queue);
	return true;
}

static int queue_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();
	(void)instance;

	role_state.journal =
		arena_printf(&role_state.memory, "%" STR_FMT "/journal", STR_ARG(set->state_dir));
	role_state.history = arena_printf(&role_state.memory, "%" STR_FMT "/" HISTORY_DIR,
					  STR_ARG(set->state_dir));
	int r = fd_make_dirs(role_state.journal.p, 0700, err);
	if (r == 0)
		r = fd_make_dirs(role_state.history.p, 0700, err);
	if (r < 0)
		return r;
	door_open(&role_state.operators, OPERATOR_SOCKET, operator_server);
	return 0;
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
		.signs = set->enable_opendkim || set->enable_rspamd,
		.history_dir = role_state.history.p,
		.history_size = (uint64_t)set->history_size,
		.suppress = set->suppress,
		.workers = (unsigned)set->workers,
		.retry_min = set->retry_min,
		.retry_max = set->retry_max,
		.lifetime = set->queue_lifetime,
		.bounce_lifetime = set->bounce_lifetime,
		.delay_warning = set->delay_warning,
		.default_relay = set->default_relay_host,
		.agent = set->dagent,
		.courier_calls = (unsigned)set->courier_calls,
		.window_first = (unsigned)set->destination_calls,
		.window_max = (unsigned)set->destination_calls_max,
		.remote_retry_min = set->remote_retry_min,
	};
	int r = queue_start(&config, &role_state.queue, err);
	return r < 0 ? r : door_start(&role_state.operators, g, err);
}

static void queue_role_drain(void)
{
	(void)!queue_drain(role_state.queue, loop_deadline(DRAIN_MS));
}

static void queue_role_end(void)
{
	struct queue *q = role_state.queue;

	role_state.queue = NULL; /* operators that come now are sent away */
	door_close(&role_state.operators);
	if (q)
		queue_stop(q);
	arena_done(&role_state.memory);
}

static const struct sandbox_policy *queue_sandbox(void)
{
	static const char *paths[3];
	static const struct sandbox_policy policy = {
		.profile = SANDBOX_FILES | SANDBOX_SERVER,
		.write = paths,
	};

	paths[0] = role_state.journal.p;
	paths[1] = role_state.history.p;
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
		.server = queue_server,
		.report = queue_role_report,
		.drain = queue_role_drain,
		.end = queue_role_end,
	};

	return role_main(&role, argc, argv);
}
