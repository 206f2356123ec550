/* courier: mail to other servers.
 *
 * May: connect to other servers, read message bodies through descriptors that the queue passes,
 * ask the resolver and, for logins to relays, auth; keep what it learned about other servers in a
 * directory of its own; talk to local sockets, which Landlock does not restrict, if the owner of
 * POSTFIX_DAGENT's lets it. May not: see mailboxes, account files, the
 * journal's directory or the keys of this server, start programs. */
#include "courier/courier_server.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "courier/own_addresses.h"
#include "roles/role.h"

static struct courier *courier; /* NULL until prepare */
static struct arena memory;
static const char *state_dir;

static struct ipc_server courier_role_server(void)
{
	return courier_ipc_server(courier);
}

static void courier_peer(struct str service, unsigned instance, int socket)
{
	(void)instance;
	if (str_eq(service, STR("auth")))
		courier_attach_auth(courier, socket);
	else
		courier_attach_dns(courier, socket);
}

/* The authorities' certificates may be anywhere, behind links. */
static int courier_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();
	struct courier_config config = courier_config_from_settings(set);
	(void)instance;

	/* A message to many domains is as many fibers at once as the queue makes calls. */
	fiber_keep_stacks((unsigned)set->courier_calls);
	state_dir = arena_printf(&memory, "%" STR_FMT "/courier", STR_ARG(set->state_dir)).p;
	config.dir = state_dir;
	int r = fd_make_dirs(state_dir, 0700, err);
	if (r == 0)
		r = own_addresses_load((uint16_t)(25 + set->port_offset), set->own_addresses, err);
	if (r == 0)
		courier = courier_start(&config);
	return r;
}

static int courier_role_start(struct group *g, struct err *err)
{
	(void)g, (void)err;
	return 0;
}

static struct str courier_role_report(void)
{
	if (courier)
		courier_report(courier);
	return STR_NONE;
}

static void courier_role_end(void)
{
	if (courier)
		courier_stop(courier);
	arena_done(&memory);
}

static const struct sandbox_policy *courier_sandbox(void)
{
	static const char *paths[2];
	static const struct sandbox_policy policy = { .profile = SANDBOX_CLIENT | SANDBOX_FILES,
						      .write = paths };

	paths[0] = state_dir;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "courier",
		.prepare = courier_prepare,
		.sandbox = courier_sandbox,
		.start = courier_role_start,
		.peer = courier_peer,
		.server = courier_role_server,
		.report = courier_role_report,
		.end = courier_role_end,
	};

	return role_main(&role, argc, argv);
}
