#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/rand.h"
#include "core/fiber.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/settings.h"
#include "core/stream.h"
#include "core/tls.h"
#include "imap/login.h"
#include "pop3/login.h"
#include "roles/front.h"
#include "roles/front_tls.h"
#include "smtp/throttle.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"

/* Longer than any protocol lets a client be silent: the mailbox worker decides that. */
#define RELAY_IDLE_MS ((int64_t)8 * 24 * 3600 * 1000)

/* A connection on its way through the login. */
struct login {
	struct list node; /* in `waiting`, until it is handed over */
	struct fiber *fiber;
	struct front_client *client;
	struct stream *stream;
	struct stream *worker; /* TLS: our end of the pair to the worker, after the hand-over */
	const char *protocol;
	bool tls;
	bool handed_over;
	bool in_doubt; /* nobody knows whether the worker has it too */
	unsigned failures;
	int64_t born;
	char user[128]; /* of the last attempt, for the log */
	char session[17];
	struct log_context log;
};

static struct list waiting = { &waiting, &waiting };

/* Like Dovecot: a client on this very machine comes from the address that it connects to, and what
 * it says crosses no wire. */
static bool is_same_host(const struct login *l)
{
	return strcmp(l->client->address, front_local_address(l->client)) == 0;
}

static int may_suspend start_tls(void *ctx, struct stream *s, struct err *err)
{
	struct login *l = ctx;
	struct tls_context *context = front_tls_get();
	int r = tls_accept(s, context, err);

	tls_context_unref(context);
	l->tls = r == 0;
	if (r == 0)
		log_context_set(&l->log, LOG_CSTR("tls", "TLS"));
	return r;
}

/* 0, -EACCES or "not known now"; both protocols treat these alike. */
static int may_suspend authenticate(struct login *l, struct auth_login_in *in, struct arena *a,
				    struct str *account, struct err *err)
{
	struct auth_login_out out;

	in->protocol = str_from(l->protocol);
	in->session = str_from(l->session);
	in->client_address = str_from(l->client->address);
	int r = auth_login(front.auth, in, a, &out, err);

	snprintf(l->user, sizeof(l->user), "%" STR_FMT, STR_ARG(in->user));
	log_context_set(&l->log, LOG_STR("method", in->method));
	log_context_set(&l->log, LOG_CSTR("user", l->user));
	l->failures += r == -EACCES;
	if (r == 0)
		*account = out.account;
	else if (r != -EACCES && r != -ECANCELED)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "login"), LOG_REASON(err));
	return r;
}

/* The socket that the worker gets: the client's own, or one end of a pair. */
static int may_suspend give_socket(struct login *l, int *out, struct err *err)
{
	int fds[2];

	if (!l->tls) {
		/* Ours stays open until the worker has said yes: a refusal has to be told. */
		*out = fcntl(stream_io(l->stream)->fd, F_DUPFD_CLOEXEC, 0);
		return *out < 0 ? err_sys(err, "hand-over: dup") : 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, "hand-over: socketpair");
	l->worker = stream_new(fds[0]);
	*out = fds[1];
	return 0;
}

static int may_suspend try_hand_over(struct login *l, enum mailbox_protocol protocol,
				     struct str account, struct str tag, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str input = arena_str(&a, stream_peek(l->stream));
	struct mailbox_session_in in = {
		.protocol = (uint8_t)protocol,
		.account = account,
		.tag = tag,
		.input = input,
		.session = str_from(l->session),
		.client_address = str_from(l->client->address),
		.secure = l->tls,
	};
	struct mailbox_session_out out;
	auto_close int fd = -1;

	unsigned worker = mailbox_worker(account, front.mailbox_count);
	int r = give_socket(l, &fd, err);
	if (r < 0)
		return r;
	in.socket = fd;
	r = mailbox_session(front.mailbox[worker], &in, &a, &out, err);
	if (r < 0) {
		stream_free(l->worker);
		l->worker = NULL;
		return r;
	}
	stream_consume(l->stream, input.n);
	return 0;
}

static int may_suspend hand_over(struct login *l, enum mailbox_protocol protocol,
				 struct str account, struct str tag, struct err *err)
{
	int r = try_hand_over(l, protocol, account, tag, err);

	l->handed_over = r == 0;
	/* The worker may still take the client's own socket, and answer the login once more. */
	l->in_doubt = !l->tls && (r == -ETIMEDOUT || r == -ECANCELED);
	if (l->in_doubt)
		(void)shutdown(stream_io(l->stream)->fd, SHUT_RD);
	if (r == 0)
		list_remove(&l->node);
	if (r == 0)
		log_event(LOG_LOGIN, LOG_STR("user", account));
	else if (r != -ECANCELED)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "hand-over"), LOG_REASON(err));
	return r;
}

static int may_suspend imap_authenticate(void *ctx, const struct imap_credentials *c,
					 struct arena *a, struct str *account, struct err *err)
{
	struct auth_login_in in = {
		.method = str_from(c->method),
		.authzid = c->sasl.authzid,
		.user = c->sasl.user,
		.password = c->sasl.password,
	};

	return authenticate(ctx, &in, a, account, err);
}

static int may_suspend imap_handover(void *ctx, const struct imap_handover *h, struct err *err)
{
	return hand_over(ctx, MAILBOX_IMAP, h->account, h->tag, err);
}

static void may_suspend run_imap(struct login *l)
{
	static const struct imap_login_ops ops = { .authenticate = imap_authenticate,
						   .handover = imap_handover,
						   .start_tls = start_tls };
	struct imap_login_params p = {
		.stream = l->stream,
		.ops = &ops,
		.ctx = l,
		.secure = l->tls || is_same_host(l),
		.allow_cleartext = settings_get()->allow_plaintext_auth,
		.failures_max = (unsigned)settings_get()->auth_failures_max,
		.time_ms = settings_get()->imap_login_idle,
	};
	struct err err = { 0 };

	(void)!imap_login_run(&p, &err);
}

static int may_suspend pop3_authenticate(void *ctx, const struct pop3_credentials *c,
					 struct arena *a, struct str *account, struct err *err)
{
	struct auth_login_in in = {
		.method = str_from(c->method),
		.authzid = c->sasl.authzid,
		.user = c->sasl.user,
		.password = c->sasl.password,
	};

	return authenticate(ctx, &in, a, account, err);
}

static int may_suspend pop3_handover(void *ctx, struct str account, struct err *err)
{
	return hand_over(ctx, MAILBOX_POP3, account, STR_NONE, err);
}

static void may_suspend run_pop3(struct login *l)
{
	static const struct pop3_login_ops ops = { .authenticate = pop3_authenticate,
						   .handover = pop3_handover,
						   .start_tls = start_tls };
	struct pop3_login_params p = {
		.stream = l->stream,
		.ops = &ops,
		.ctx = l,
		.secure = l->tls || is_same_host(l),
		.allow_cleartext = settings_get()->allow_plaintext_auth,
		.failures_max = (unsigned)settings_get()->auth_failures_max,
		.time_ms = settings_get()->imap_login_idle,
	};
	struct err err = { 0 };

	(void)!pop3_login_run(&p, &err);
}

/* The one line of a connection that nobody logged in on. */
static void log_no_login(const struct login *l, const char *reason)
{
	int64_t seconds = (loop_now() - l->born) / 1000;

	if (l->failures)
		log_event(LOG_LOGIN_FAILED, LOG_INT("attempts", l->failures),
			  LOG_INT("seconds", seconds));
	else
		log_event(LOG_LOGIN_NONE, LOG_CSTR("reason", reason), LOG_INT("seconds", seconds));
}

static void may_suspend serve(struct login *l)
{
	struct err err;

	if (l->client->port->tls && start_tls(l, l->stream, &err) < 0) {
		log_no_login(l, err.text);
		return;
	}
	if (l->client->port->service == FRONT_IMAP)
		run_imap(l);
	else
		run_pop3(l);
	if (!l->handed_over)
		log_no_login(l, "Connection closed");
	else if (l->worker)
		(void)!stream_relay(l->stream, l->worker, RELAY_IDLE_MS);
}

/* Without a word where that would take a handshake first. */
static void may_suspend refuse(struct login *l)
{
	bool imap = l->client->port->service == FRONT_IMAP;

	log_no_login(l, "Too many connections");
	if (l->client->port->tls)
		return;
	stream_puts(l->stream, imap ? "* BYE Too many connections from your address.\r\n"
				    : "-ERR Too many connections from your address.\r\n");
	(void)!stream_flush(l->stream);
}

static void log_context_begin(struct login *l)
{
	bool imap = l->client->port->service == FRONT_IMAP;

	log_context_enter(&l->log, imap ? "imap-login" : "pop3-login");
	log_context_set(&l->log, LOG_CSTR("rip", l->client->address));
	log_context_set(&l->log, LOG_CSTR("lip", front_local_address(l->client)));
	log_context_set(&l->log, LOG_CSTR("session", l->session));
}

void front_login_run(struct front_client *c)
{
	struct login l = {
		.client = c,
		.stream = stream_new(c->fd),
		.protocol = c->port->service == FRONT_IMAP ? "imap" : "pop3",
		.fiber = fiber_self(),
		.born = loop_now(),
	};

	snprintf(l.session, sizeof(l.session), "%016llx", (unsigned long long)rand_u64());
	log_context_begin(&l);
	list_append(&waiting, &l.node);
	stream_set_idle(l.stream, settings_get()->imap_login_idle);
	if (smtp_throttle_enter(front.throttle, c->address) == SMTP_THROTTLE_OK)
		serve(&l);
	else
		refuse(&l);
	smtp_throttle_leave(front.throttle, c->address);
	list_remove(&l.node);
	stream_free(l.worker);
	if (l.in_doubt)
		(void)shutdown(stream_io(l.stream)->fd, SHUT_WR);
	stream_free(l.stream);
	log_context_leave(&l.log);
}

void front_login_drain(void)
{
	LIST_FOREACH (it, &waiting)
		fiber_cancel(LIST_ITEM(it, struct login, node)->fiber);
}
