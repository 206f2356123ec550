#include "setup/dns_resolver.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/settings.h"
#include "core/work.h"
#include "dns/dns_server.h"
#include "setup/server_settings.h"

#define THREADS 2

int dns_resolver_open(struct setup *s, struct dns_resolver *out, struct err *err)
{
	static struct dns_server_config config;
	struct ipc_server server = dns_server_ipc();
	int ends[2];

	(void)server_settings(s);
	/* What its log says of single questions is in the results. */
	struct log_config log = log_config_from_settings("setup");
	log.level = LOG_LEVEL_ERROR;
	log.fd = STDERR_FILENO;
	log_init(&log);
	work_init(THREADS);
	group_init(&out->servers);
	group_init(&out->clients);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, "socketpair");
	dns_server_config_from_settings(&s->arena, &config);
	int r = dns_server_start(&config, err);
	if (r == 0 && ipc_serve(ends[0], &server, &out->servers) < 0)
		r = err_set(err, -EAGAIN, "too many fibers");
	out->client = ipc_client_new("resolver", &out->clients);
	ipc_client_attach(out->client, ends[1]);
	return r;
}

void dns_resolver_close(struct dns_resolver *r)
{
	ipc_client_close(r->client);
	group_done(&r->clients);
	group_done(&r->servers);
	dns_server_stop();
	ipc_client_free(r->client);
	work_done();
}
