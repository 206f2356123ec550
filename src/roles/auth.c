/* auth: who is who. Reads the account files, answers questions about addresses, checks passwords.
 *
 * May: read the configuration directory; before it is locked in, make the keys of SRS. May not: see
 * mail or the network, write anything, start programs. */
#include "auth/auth_ipc.h"
#include "auth/auth_server.h"
#include "base/arena.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "roles/role.h"

/* Passwords are hashed here: as many at a time as there are threads. */
#define HASH_THREADS 4

static struct auth_server_config config;
static struct arena memory;

/* Before the sandbox: the keys of SRS are in a file, which may have to be made. */
static int auth_prepare(unsigned instance, struct err *err)
{
	(void)instance;
	return auth_server_config_from_settings(&memory, &config, err);
}

static int auth_start(struct group *g, struct err *err)
{
	(void)g, (void)err;
	auth_server_open(&config);
	return 0;
}

static void auth_end(void)
{
	auth_server_close();
	arena_done(&memory);
}

static int auth_reload(bool accounts, bool certificates, struct err *err)
{
	(void)certificates, (void)err;
	return accounts ? auth_server_reload() : 0;
}

static const struct sandbox_policy *auth_sandbox(void)
{
	static const char *paths[2];
	static const struct sandbox_policy policy = { .read = paths };

	paths[0] = settings_get()->config_dir.p;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "auth",
		.service = &auth_service,
		.ops = &auth_server_ops,
		.work_threads = HASH_THREADS,
		.prepare = auth_prepare,
		.sandbox = auth_sandbox,
		.start = auth_start,
		.reload = auth_reload,
		.end = auth_end,
	};

	return role_main(&role, argc, argv);
}
