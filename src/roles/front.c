/* front: every client connection. SMTP whole; IMAP and POP3 up to the login, then a mailbox worker
 * has them: a plain connection is passed on, a TLS one stays here and is relayed.
 *
 * May: accept on the sockets it is given, read certificates and keys, call auth, queue, mailbox,
 * the filter and the resolver, write large messages to an unlinked file in the spool directory. May
 * not: connect, see mailboxes, account files or the journal, start programs. */
#include "roles/front.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/sandbox.h"
#include "core/settings.h"
#include "roles/front_tls.h"
#include "roles/front_trust.h"
#include "roles/role.h"
#include "smtp/backend.h"
#include "smtp/throttle.h"

/* A drain that takes longer leaves the rest to the end of the process. */
#define DRAIN_MS 20000

struct front front;

static struct tls_context *smtp_tls(void *ctx)
{
	(void)ctx;
	return front_tls_get();
}

static int open_spool(const struct settings *set, struct err *err)
{
	front.spool_path =
		arena_printf(&front.memory, "%" STR_FMT "/spool", STR_ARG(set->state_dir));
	int r = fd_make_dirs(front.spool_path.p, 0700, err);

	if (r < 0)
		return r;
	int fd = open(front.spool_path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "%s", front.spool_path.p) : fd;
}

static int front_prepare(unsigned instance, struct err *err)
{
	const struct settings *set = settings_get();

	group_init(&front.ipc);
	group_init(&front.acceptors);
	group_init(&front.clients);
	front.auth = ipc_client_new("auth", &front.ipc);
	front.queue = ipc_client_new("queue", &front.ipc);
	front.filter = ipc_client_new("filter", &front.ipc);
	front.resolver = ipc_client_new("resolver", &front.ipc);
	front.mailbox_count = (unsigned)set->workers;
	for (unsigned i = 0; i < front.mailbox_count; i++)
		front.mailbox[i] = ipc_client_new("mailbox", &front.ipc);
	front.throttle = smtp_throttle_new((size_t)set->connections_per_address,
					   (size_t)set->connections_max);
	int spool = open_spool(set, err);
	if (spool < 0)
		return spool;
	front.smtp = (struct smtp_service){
		.settings = set,
		.tls = smtp_tls,
		.throttle = front.throttle,
		.spool = spool,
		.can_relay = true,
	};
	queue_id_gen_init(&front.smtp.ids, instance);
	front_trust_prepare();
	return front_tls_prepare(set, err);
}

static void front_peer(struct str service, unsigned instance, int socket)
{
	if (str_eq(service, STR("auth"))) {
		ipc_client_attach(front.auth, socket);
	} else if (str_eq(service, STR("queue"))) {
		ipc_client_attach(front.queue, socket);
	} else if (str_eq(service, STR("filter"))) {
		ipc_client_attach(front.filter, socket);
	} else if (str_eq(service, STR("resolver"))) {
		ipc_client_attach(front.resolver, socket);
	} else if (str_eq(service, STR("mailbox")) && instance < front.mailbox_count) {
		ipc_client_attach(front.mailbox[instance], socket);
	} else {
		close(socket);
	}
}

static int front_start(struct group *g, struct err *err)
{
	const struct settings *set = settings_get();
	(void)g;
	front.backend = (struct smtp_backend_ctx){
		.auth = front.auth,
		.queue = front.queue,
		.filter = front.filter,
		.resolver = front.resolver,
		.signs = set->enable_opendkim || set->enable_rspamd,
		.checks = set->enable_opendkim || set->enable_rspamd || set->enable_opendmarc ||
			  set->enable_policyd_spf,
		.mailbox = front.mailbox,
		.workers = front.mailbox_count,
	};
	front.smtp.backend = &smtp_backend;
	front.smtp.ctx = &front.backend;
	return front_accept_start(err);
}

static int front_reload(bool accounts, bool certificates, struct err *err)
{
	(void)accounts;
	return certificates ? front_tls_reload(err) : 0;
}

/* Close the doors, let sessions finish what they are at, then end them. */
static void front_drain(void)
{
	front.smtp.draining = true;
	group_done(&front.acceptors);
	front_login_drain();
	group_interrupt(&front.clients);
	(void)!group_join(&front.clients, loop_deadline(DRAIN_MS));
	group_done(&front.clients);
}

static void front_end(void)
{
	group_done(&front.acceptors);
	group_done(&front.clients);
	group_done(&front.ipc);
}

static const struct sandbox_policy *front_sandbox(void)
{
	static const char *spool[2];
	static struct sandbox_policy policy = { .profile = SANDBOX_SERVER | SANDBOX_FILES,
						.write = spool };

	spool[0] = front.spool_path.p;
	policy.read = front_tls_directories();
	return &policy;
}

int main(int argc, char **argv)
{
	static const struct role role = {
		.name = "front",
		.prepare = front_prepare,
		.sandbox = front_sandbox,
		.start = front_start,
		.peer = front_peer,
		.listen = front_add_port,
		.reload = front_reload,
		.drain = front_drain,
		.end = front_end,
	};

	return role_main(&role, argc, argv);
}
