/* filter: who really sent a message; signatures for ours.
 *
 * May: read the keys of DKIM in the configuration, read message bodies through descriptors that
 * front passes, ask the resolver, accept operators on a local socket, keep results in a directory
 * of the state volume. May not: speak to the network, see mailboxes or the journal, start
 * programs. */
#include <stddef.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "core/ipc.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "filter/explain.h"
#include "filter/filter_server.h"
#include "filter/public_suffix.h"
#include "roles/door.h"
#include "roles/role.h"

/* Messages are read and signed here, as many at a time as there are threads. */
#define THREADS 4

static struct filter *filter; /* NULL until start */
static struct door operators;
static struct arena memory;
static const char *state_dir;

static struct ipc_server filter_role_server(void)
{
	return filter_ipc_server(filter);
}

static bool operator_server(struct ipc_server *out)
{
	if (!filter)
		return false;
	*out = filter_explain_server(filter);
	return true;
}

static int filter_role_start(struct group *g, struct err *err)
{
	return door_start(&operators, g, err);
}

static int filter_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();
	const struct filter_config config = {
		.config_dir = set->config_dir,
		.opendkim = set->enable_opendkim,
		.rspamd = set->enable_rspamd,
		.spf_rejects = set->enable_policyd_spf,
		.dmarc_rejects = set->enable_opendmarc,
		.server = set->fqdn,
		.domain = set->domain,
		.srs_domain = set->srs_domain,
		.arc_trusted = set->arc_trusted,
		.timeout = set->filter_timeout,
		.dir = arena_printf(&memory, "%" STR_FMT "/filter", STR_ARG(set->state_dir)).p,
	};
	(void)instance;

	state_dir = config.dir;
	int r = fd_make_dirs(state_dir, 0700, err);
	if (r < 0)
		return r;
	public_suffix_load();
	filter = filter_new(&config);
	door_open(&operators, EXPLAIN_SOCKET, operator_server);
	return 0;
}

static int filter_role_reload(bool accounts, bool certificates, struct err *err)
{
	(void)certificates, (void)err;
	if (accounts)
		filter_reload(filter);
	return 0;
}

static void filter_peer(struct str service, unsigned instance, int socket)
{
	(void)service, (void)instance;
	filter_attach_resolver(filter, socket);
}

static void filter_role_end(void)
{
	struct filter *f = filter;

	filter = NULL; /* operators that come now are sent away */
	door_close(&operators);
	if (f)
		filter_free(f);
	arena_done(&memory);
}

static const struct sandbox_policy *filter_sandbox(void)
{
	static const char *paths[2], *written[2];
	static const struct sandbox_policy policy = { .profile = SANDBOX_SERVER | SANDBOX_FILES,
						      .read = paths,
						      .write = written };

	paths[0] = settings_get()->config_dir.p;
	written[0] = state_dir;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "filter",
		.work_threads = THREADS,
		.prepare = filter_prepare,
		.sandbox = filter_sandbox,
		.start = filter_role_start,
		.peer = filter_peer,
		.server = filter_role_server,
		.reload = filter_role_reload,
		.end = filter_role_end,
	};

	return role_main(&role, argc, argv);
}
