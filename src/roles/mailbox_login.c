/* Logins on connections that a worker has already: behind UNAUTHENTICATE (RFC 8437). Who logs in
 * may belong to another worker; then that one is given the connection, as by a front. */
#include "roles/mailbox_login.h"

#include <errno.h>
#include <fcntl.h>

#include "auth/auth_ipc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/ipc.h"
#include "core/log.h"
#include "core/settings.h"
#include "core/stream.h"
#include "imap/login.h"
#include "roles/mailbox.h"
#include "store/mailbox.h"
#include "store/mailbox_ipc.h"

static int may_suspend authenticate(void *ctx, const struct imap_credentials *c, struct arena *a,
				    struct str *account, struct err *err)
{
	const struct mailbox_login *l = ctx;
	struct auth_login_in in = {
		.protocol = STR("imap"),
		.method = str_from(c->method),
		.authzid = c->sasl.authzid,
		.user = c->sasl.user,
		.password = c->sasl.password,
		.client_address = l->client_address,
		.session = l->session,
	};
	struct auth_login_out out;

	int r = auth_login(mailbox_role.auth, &in, a, &out, err);
	if (r == 0)
		*account = out.account;
	else if (r != -EACCES && r != -ECANCELED)
		log_event(LOG_CALL_FAILED, LOG_CSTR("what", "login"), LOG_REASON(err));
	return r;
}

static int may_suspend give_away(struct mailbox_login *l, unsigned worker,
				 const struct imap_handover *h, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct mailbox_session_out out;
	struct mailbox_session_in in = {
		.protocol = MAILBOX_IMAP,
		.account = h->account,
		.tag = h->tag,
		.input = arena_str(&a, stream_peek(l->stream)),
		.session = l->session,
		.client_address = l->client_address,
		.secure = l->secure,
	};

	auto_close int fd = fcntl(stream_io(l->stream)->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "hand-over: dup");
	in.socket = fd;
	int r = mailbox_session(mailbox_role.peers[worker], &in, &a, &out, err);
	if (r == 0)
		l->end = MAILBOX_LOGIN_ELSEWHERE;
	return r;
}

static int may_suspend hand_over(void *ctx, const struct imap_handover *h, struct err *err)
{
	struct mailbox_login *l = ctx;
	unsigned worker = mailbox_worker(h->account, (unsigned)settings_get()->workers);
	int r;

	if (worker != mailbox_role.instance) {
		r = give_away(l, worker, h, err);
	} else {
		r = l->enter(l->ctx, h->account, h->tag, err);
		if (r == 0)
			l->end = MAILBOX_LOGIN_HERE;
	}
	if (r == 0)
		log_event(LOG_LOGIN, LOG_STR("user", h->account));
	return r;
}

enum mailbox_login_end mailbox_login_run(struct mailbox_login *l)
{
	static const struct imap_login_ops ops = { .authenticate = authenticate,
						   .handover = hand_over };
	const struct settings *set = settings_get();
	struct imap_login_params p = {
		.stream = l->stream,
		.ops = &ops,
		.ctx = l,
		/* It was good enough for the login before. */
		.secure = true,
		.greeted = true,
		.failures_max = (unsigned)set->auth_failures_max,
		.time_ms = set->imap_login_idle,
	};
	struct err err = { 0 };

	l->end = MAILBOX_LOGIN_CLOSED;
	(void)!imap_login_run(&p, &err);
	return l->end;
}
