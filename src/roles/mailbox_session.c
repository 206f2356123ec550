#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/settings.h"
#include "core/stream.h"
#include "imap/session.h"
#include "pop3/session.h"
#include "roles/mailbox.h"
#include "roles/mailbox_login.h"
#include "store/mailbox.h"
#include "store/fts.h"
#include "store/mailbox_ipc.h"
#include "store/store.h"

#define LOGINS_MAX 1000

/* An account with sessions. */
struct user {
	struct arena memory;
	struct str name;
	unsigned sessions;
};

/* A connection that was handed over; owns everything below it. */
struct session {
	struct arena memory;
	struct user *user;
	struct log_context log;
	enum mailbox_protocol protocol;
	struct stream *stream;
	struct str account, path, tag, id, client_address;
	bool secure;
	unsigned logins; /* on this connection, here */
};

static int user_enter(struct str account, struct user **out, struct err *err)
{
	unsigned max = (unsigned)settings_get()->connections_per_user;
	struct user *u = map_get(&mailbox_role.users, account);

	if (!u) {
		struct arena memory = ARENA_INIT;
		u = ARENA_NEW(&memory, struct user);
		u->name = arena_str(&memory, account);
		u->memory = memory;
		map_put(&mailbox_role.users, u->name, u);
	}
	if (u->sessions >= max)
		return err_set(err, -EBUSY, "%" STR_FMT " has %u sessions already",
			       STR_ARG(account), max);
	u->sessions++;
	*out = u;
	return 0;
}

static void user_leave(struct user *u)
{
	if (--u->sessions)
		return;
	map_remove(&mailbox_role.users, u->name);
	struct arena memory = u->memory;
	arena_done(&memory);
}

static const char *imap_end_text(enum imap_session_end end)
{
	switch (end) {
	case IMAP_SESSION_LOGOUT:
		return "Logged out";
	case IMAP_SESSION_TIMEOUT:
		return "Inactivity";
	case IMAP_SESSION_REFUSED:
		return "Too many errors";
	case IMAP_SESSION_CANCELLED:
		return "Server shutting down.";
	default:
		return "Connection closed";
	}
}

static uint64_t may_suspend session_quota(void *ctx, struct str account)
{
	(void)ctx;
	return mailbox_role_quota(account);
}

/* Another user's mail. If that account is another worker's, it is opened as a program beside this
 * server would: without its index, with the locks on disk. */
static int session_open_account(void *ctx, struct str account, struct store **out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	unsigned workers = (unsigned)settings_get()->workers;
	bool own = mailbox_worker(account, workers) == mailbox_role.instance;
	struct str path;
	(void)ctx;

	int r = mailbox_role_path(account, &a, &path, err);
	if (r < 0)
		return r;
	/* Opening makes what is missing, and there is no account to make it for. */
	if (access(path.p, F_OK) < 0)
		return err_sys(err, "%s", path.p);
	return store_open(own ? mailbox_role.pool : mailbox_role.guests, path, out, err);
}

static enum imap_session_end may_suspend run_imap_once(struct session *s)
{
	const struct settings *set = settings_get();
	struct imap_session_params p = {
		.stream = s->stream,
		.tag = s->tag,
		.pool = mailbox_role.pool,
		.mail_path = s->path,
		.fts = mailbox_role.fts,
		.limits = IMAP_SESSION_LIMITS,
	};

	/* Each login takes a little memory. */
	p.may_unauthenticate = s->logins < LOGINS_MAX;
	p.quota = session_quota;
	p.account = s->account;
	p.mail_dir = set->mail_dir;
	p.open_account = session_open_account;
	p.ctx = s;
	p.limits.line = (size_t)set->imap_line_max;
	p.limits.literal = (size_t)set->imap_literal_max;
	p.limits.append = (uint64_t)set->imap_append_max;
	p.limits.idle_ms = set->imap_idle;
	p.limits.errors = (unsigned)set->imap_errors_max;
	/* What was there before, and what the session adds. */
	fts_notice(p.fts, s->path, FTS_USED);
	enum imap_session_end end = imap_session_run(&p);
	fts_notice(p.fts, s->path, FTS_USED);
	return end;
}

static int login_enter(void *ctx, struct str account, struct str tag, struct err *err)
{
	struct session *s = ctx;
	struct str path;

	int r = mailbox_role_path(account, &s->memory, &path, err);
	if (r == 0)
		r = user_enter(account, &s->user, err);
	if (r < 0)
		return r;
	s->account = arena_str(&s->memory, account);
	s->tag = arena_str(&s->memory, tag);
	s->path = path;
	log_context_set(&s->log, LOG_STR("user", s->account));
	return 0;
}

/* RFC 8437: the connection without its user. True when somebody has logged in, and belongs here. */
static bool may_suspend login_again(struct session *s, const char **reason)
{
	struct mailbox_login l = {
		.stream = s->stream,
		.session = s->id,
		.client_address = s->client_address,
		.secure = s->secure,
		.enter = login_enter,
		.ctx = s,
	};

	user_leave(s->user);
	s->user = NULL;
	s->logins++;
	enum mailbox_login_end end = mailbox_login_run(&l);
	*reason =
		end == MAILBOX_LOGIN_ELSEWHERE ? "Logged in as somebody else" : "Connection closed";
	return end == MAILBOX_LOGIN_HERE;
}

static const char *may_suspend run_imap(struct session *s)
{
	const char *reason;

	for (;;) {
		enum imap_session_end end = run_imap_once(s);
		if (end != IMAP_SESSION_UNAUTHENTICATED)
			return imap_end_text(end);
		if (!login_again(s, &reason))
			return reason;
	}
}

static const char *pop3_end_text(enum pop3_session_end end)
{
	switch (end) {
	case POP3_SESSION_LOGOUT:
		return "Logged out";
	case POP3_SESSION_TIMEOUT:
		return "Inactivity";
	case POP3_SESSION_REFUSED:
		return "Too many errors";
	case POP3_SESSION_CANCELLED:
		return "Server shutting down.";
	default:
		return "Connection closed";
	}
}

static const char *may_suspend run_pop3(struct session *s)
{
	struct pop3_session_params p = { .stream = s->stream,
					 .pool = mailbox_role.pool,
					 .mail_path = s->path,
					 .idle_ms = settings_get()->pop3_idle };

	return pop3_end_text(pop3_session_run(&p));
}

static void session_main(void *arg)
{
	struct session *s = arg;

	log_context_enter(&s->log, s->protocol == MAILBOX_IMAP ? "imap" : "pop3");
	log_context_set(&s->log, LOG_STR("user", s->account));
	log_context_set(&s->log, LOG_STR("session", s->id));
	enum metric sessions =
		s->protocol == MAILBOX_IMAP ? METRIC_IMAP_SESSIONS : METRIC_POP3_SESSIONS;
	metric_add(sessions, 1);
	const char *reason = s->protocol == MAILBOX_IMAP ? run_imap(s) : run_pop3(s);
	metric_sub(sessions, 1);
	log_event(LOG_SESSION_ENDED, LOG_CSTR("reason", reason),
		  LOG_INT("in", (int64_t)stream_bytes_in(s->stream)),
		  LOG_INT("out", (int64_t)stream_bytes_out(s->stream)));
	log_context_leave(&s->log);
	stream_free(s->stream);
	if (s->user)
		user_leave(s->user);
	struct arena memory = s->memory;
	arena_done(&memory);
}

/* The front waited too long for us: it has shut the socket for reading and tells the client so
 * itself. A client that has nothing more to send looks the same but for the state of its
 * connection. */
static bool is_abandoned(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	struct tcp_info info;
	socklen_t n = sizeof(info);

	return poll(&p, 1, 0) == 1 && p.revents & POLLRDHUP &&
	       getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	       info.tcpi_state == TCP_ESTABLISHED;
}

int mailbox_role_session(void *ctx, struct mailbox_session_in *in, struct arena *a,
			 struct mailbox_session_out *out, struct err *err)
{
	struct arena memory = ARENA_INIT;
	struct session *s = ARENA_NEW(&memory, struct session);
	(void)ctx, (void)a, (void)out;

	if (is_abandoned(in->socket)) {
		arena_done(&memory);
		return err_set(err, -ETIMEDOUT, "the client was answered meanwhile");
	}
	s->protocol = in->protocol;
	s->account = arena_str(&memory, in->account);
	s->tag = arena_str(&memory, in->tag);
	s->id = arena_str(&memory, in->session);
	s->client_address = arena_str(&memory, in->client_address);
	s->secure = in->secure;
	int r = mailbox_role_path(s->account, &memory, &s->path, err);
	if (r == 0)
		r = user_enter(s->account, &s->user, err);
	if (r < 0) {
		arena_done(&memory);
		return r;
	}
	s->stream = stream_new(take_fd(&in->socket));
	stream_preload(s->stream, in->input);
	s->memory = memory;
	r = fiber_spawn(&mailbox_role.sessions, "session", session_main, s);
	if (r < 0) {
		stream_free(s->stream);
		user_leave(s->user);
		arena_done(&memory);
		return err_set(err, r, "too many sessions");
	}
	return 0;
}
