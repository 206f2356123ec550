/* resolver: asks the DNS for everybody else, keeps the answers, checks their signatures.
 *
 * May: speak to DNS servers, read the trust anchor, the root hints, /etc/hosts and resolv.conf. May
 * not: see mail, accounts or keys, write anything, start programs. */
#include "base/arena.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "dns/dns_server.h"
#include "roles/role.h"

static struct {
	struct arena memory;
	struct dns_server_config config;
} resolver;

static int resolver_prepare(unsigned instance, struct err *err)
{
	(void)instance, (void)err;
	dns_server_config_from_settings(&resolver.memory, &resolver.config);
	return 0;
}

static int resolver_start(struct group *g, struct err *err)
{
	(void)g;
	return dns_server_start(&resolver.config, err);
}

static void resolver_end(void)
{
	dns_server_stop();
	arena_done(&resolver.memory);
}

static const struct sandbox_policy *resolver_sandbox(void)
{
	static const char *paths[5];
	static const struct sandbox_policy policy = { .profile = SANDBOX_CLIENT, .read = paths };

	paths[0] = resolver.config.anchor.p;
	paths[1] = resolver.config.hints.p;
	paths[2] = resolver.config.hosts.p;
	paths[3] = resolver.config.resolv.p;
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "resolver",
		.work_threads = 2,
		.server = dns_server_ipc,
		.prepare = resolver_prepare,
		.sandbox = resolver_sandbox,
		.start = resolver_start,
		.report = dns_server_trouble,
		.end = resolver_end,
	};

	return role_main(&role, argc, argv);
}
