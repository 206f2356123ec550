#include "smtp/session.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/tls.h"
#include "smtp/greeting.h"
#include "smtp/peer_name.h"
#include "smtp/reply.h"
#include "smtp/report.h"
#include "smtp/throttle.h"

/* Commands that move nothing, between two messages; more of them count as errors. */
#define IDLE_COMMANDS_MAX 100

/* How long, and for how many bytes, a session that we close listens on. */
#define LINGER_MS    2000
#define LINGER_BYTES ((size_t)1 << 20)

bool smtp_has_tls(const struct smtp_session *s)
{
	if (s->tls)
		return true;
	struct tls_context *ctx = s->svc->tls(s->svc->ctx);
	if (!ctx)
		return false;
	tls_context_unref(ctx);
	return true;
}

bool smtp_auth_allowed(const struct smtp_session *s)
{
	return smtp_is_submission(s) && s->client->port != SMTP_PORT_LOCAL &&
	       (s->tls || s->settings->allow_plaintext_auth || !smtp_has_tls(s));
}

const char *smtp_protocol(const struct smtp_session *s)
{
	return s->esmtp ? "ESMTP" : "SMTP";
}

int smtp_wait_input(struct smtp_session *s, int64_t deadline)
{
	if (s->deadline < deadline)
		deadline = s->deadline;
	if (stream_peek(s->stream).n)
		return 1;
	int r;
	do { /* the end of the server can wait for the end of a transaction */
		int64_t ms = deadline - loop_now();
		if (ms <= 0)
			return -ETIMEDOUT;
		r = stream_wait_input(s->stream, ms);
	} while (r == -EINTR && s->tx);
	if (r == 0)
		return -ETIMEDOUT;
	return r < 0 ? r : stream_peek(s->stream).n > 0;
}

static int check_line(struct str line, struct str *out)
{
	line = str_chomp(line);
	if (memchr(line.p, '\r', line.n) || memchr(line.p, '\0', line.n))
		return -EBADMSG;
	*out = line;
	return 0;
}

/* A lone LF ends a command too: people type commands through programs that send nothing else, and a
 * command has no inside for anybody to smuggle through. */
int smtp_read_line(struct smtp_session *s, size_t max, struct str *line)
{
	int64_t deadline = loop_deadline(s->settings->smtp_idle);
	struct str raw;

	int w = smtp_wait_input(s, deadline);
	if (w <= 0)
		return w < 0 ? w : -ENODATA;

	int64_t limit = fiber_limit_begin(deadline);
	int r = stream_read_line(s->stream, max, &raw);
	if (r == -EMSGSIZE) {
		r = stream_skip_line(s->stream);
		r = r < 0 ? r : -EMSGSIZE;
	}
	fiber_limit_end(limit);
	return r < 0 ? r : check_line(raw, line);
}

static void say_421(struct smtp_session *s, const char *code, const char *text)
{
	smtp_say(s, "421 %s %" STR_FMT " %s", code, STR_ARG(s->settings->fqdn), text);
}

void smtp_abandon(struct smtp_session *s, int error)
{
	s->closing = true;
	switch (error) {
	case -ETIMEDOUT:
		say_421(s, "4.4.2", "Error: timeout exceeded");
		smtp_report_end(s, LOG_SMTP_TIMEOUT);
		break;
	case -EINTR:
	case -ECANCELED:
		say_421(s, "4.3.2", "Service shutting down and closing transmission channel");
		break;
	case -EMSGSIZE:
		smtp_refuse(s, STR_NONE, "552 5.3.4 Error: message file too big");
		break;
	default:
		smtp_report_end(s, LOG_SMTP_LOST);
	}
}

static void run_verb(struct smtp_session *s, const struct smtp_verb *verb, struct str arg)
{
	bool need_tls =
		smtp_is_submission(s) && !s->tls && !smtp_may_relay(s) && !smtp_auth_allowed(s);

	s->verb = verb;
	s->last_code = 0;
	if (verb->flags & SMTP_VERB_IDLE && ++s->junk > IDLE_COMMANDS_MAX)
		s->errors++;
	if (need_tls && !(verb->flags & SMTP_VERB_BEFORE_TLS))
		smtp_reply(s, "530 5.7.0 Must issue a STARTTLS command first");
	else
		verb->run(s, arg);
	s->tally[verb->id].total++;
	s->tally[verb->id].ok += s->last_code > 0 && s->last_code < 400;
}

static void run_line(struct smtp_session *s, struct str line)
{
	struct str name, arg;
	(void)str_cut(line, ' ', &name, &arg);
	run_verb(s, smtp_verb_find(str_trim(name)), arg);
}

/* A line that is no command at all. */
static void refuse_line(struct smtp_session *s, const char *reply)
{
	s->verb = smtp_verb_by_id(SMTP_VERB_UNKNOWN);
	s->tally[SMTP_VERB_UNKNOWN].total++;
	smtp_reply(s, "%s", reply);
}

/* Has this session had its share? Then it has been told so. */
static bool is_over(struct smtp_session *s)
{
	const struct settings *set = s->settings;
	if (s->closing)
		return true;
	if (s->errors >= (unsigned)set->smtp_errors_max) {
		say_421(s, "4.7.0", "Error: too many errors");
		smtp_report_end(s, LOG_SMTP_TOO_MANY_ERRORS);
		return true;
	}
	if (++s->commands > (uint64_t)set->smtp_commands_max) {
		say_421(s, "4.7.0", "Error: too many commands");
		smtp_report_end(s, LOG_SMTP_TOO_MANY_ERRORS);
		return true;
	}
	if (s->svc->draining && !s->tx) {
		smtp_abandon(s, -EINTR);
		return true;
	}
	return false;
}

/* RFC 4954 4: AUTH with its initial response needs long lines. */
static size_t line_max(const struct smtp_session *s)
{
	size_t max = (size_t)s->settings->smtp_line_max;
	return smtp_is_submission(s) && max < SASL_LINE_MAX ? SASL_LINE_MAX : max;
}

static void serve(struct smtp_session *s)
{
	while (!is_over(s)) {
		struct str line;
		int r = smtp_read_line(s, line_max(s), &line);
		if (r == -EMSGSIZE)
			refuse_line(s, "500 5.5.2 Error: line too long");
		else if (r == -EBADMSG)
			refuse_line(s, "500 5.5.2 Error: bad syntax");
		else if (r < 0)
			smtp_abandon(s, r);
		else
			run_line(s, line);
	}
}

/* Port 465: TLS before anything else. */
static int start_tls_at_once(struct smtp_session *s)
{
	struct err err;
	if (s->client->port != SMTP_PORT_SUBMISSIONS)
		return 0;
	struct tls_context *ctx = s->svc->tls(s->svc->ctx);
	if (!ctx)
		return 0;
	int r = tls_accept(s->stream, ctx, &err);
	tls_context_unref(ctx);
	if (r < 0) {
		smtp_report_tls_failed(&err);
		return r;
	}
	s->tls = true;
	smtp_report_tls(s);
	return 0;
}

/* What the log calls the service, as tools know it. */
static const char *tag_of(enum smtp_port port)
{
	switch (port) {
	case SMTP_PORT_SUBMISSION:
		return "submission/smtpd";
	case SMTP_PORT_SUBMISSIONS:
		return "submissions/smtpd";
	case SMTP_PORT_LOCAL:
		return "pickup";
	default:
		return "smtpd";
	}
}

static void report_concurrency(struct smtp_session *s, size_t count)
{
	log_event(LOG_SMTP_CONCURRENCY, LOG_INT("count", (int64_t)count),
		  LOG_CSTR("service", tag_of(s->client->port)));
}

/* May one more come from this address? If not, it has been told so. */
static bool is_admitted(struct smtp_session *s, enum smtp_throttle_verdict verdict)
{
	if (verdict != SMTP_THROTTLE_OK)
		metric_add(METRIC_SMTP_REFUSED, 1);
	if (verdict == SMTP_THROTTLE_TOTAL) {
		say_421(s, "4.3.2", "All server ports are busy");
		report_concurrency(s, smtp_throttle_total(s->svc->throttle));
	} else if (verdict == SMTP_THROTTLE_ADDRESS) {
		smtp_say(s, "421 4.7.0 %" STR_FMT " Error: too many connections from %s",
			 STR_ARG(s->settings->fqdn), s->client->address);
		report_concurrency(s, smtp_throttle_count(s->svc->throttle, s->client->address));
	} else if (s->svc->draining) {
		smtp_abandon(s, -EINTR);
	} else {
		return true;
	}
	return false;
}

/* A socket that is closed with unread input takes back what the peer has not read yet, and that
 * may be the reply that says why. So read away what comes, for a moment. */
static void linger(struct smtp_session *s)
{
	struct io *io = stream_io(s->stream);
	int64_t deadline = loop_deadline(LINGER_MS);
	char junk[1024];
	size_t n = 0;

	if (shutdown(io->fd, SHUT_WR) < 0)
		return;
	while (n < LINGER_BYTES) {
		ssize_t r = recv(io->fd, junk, sizeof(junk), MSG_DONTWAIT);
		if (r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR))
			return;
		if (r < 0 && io_wait_readable(io, deadline) < 0)
			return;
		n += r > 0 ? (size_t)r : 0;
	}
}

/* Is there input that nobody will read? */
static bool has_leftovers(const struct smtp_session *s)
{
	int n = 0;
	return stream_peek(s->stream).n ||
	       (ioctl(stream_io(s->stream)->fd, FIONREAD, &n) == 0 && n > 0);
}

static void run_session(struct smtp_session *s, enum smtp_throttle_verdict admission)
{
	struct log_context context;
	log_context_enter(&context, tag_of(s->client->port));
	log_context_set(&context, LOG_CSTR("client", s->peer));
	s->log = &context;
	log_event(LOG_SMTP_CONNECT);
	bool admitted = is_admitted(s, admission);
	if (admitted)
		smtp_peer_name_begin(s);
	if (admitted && start_tls_at_once(s) >= 0 && smtp_greet(s))
		serve(s);
	group_done(&s->lookups);
	if (stream_flush(s->stream) == 0 && has_leftovers(s))
		linger(s);
	smtp_tx_end(s);
	smtp_report_disconnect(s);
	log_context_leave(&context);
}

void smtp_session_run(struct smtp_service *svc, const struct smtp_client *client)
{
	struct smtp_session s = {
		.svc = svc,
		.settings = svc->settings,
		.client = client,
		.stream = stream_new(client->fd),
		.deadline = loop_deadline(svc->settings->smtp_session_max),
	};
	enum smtp_throttle_verdict admission = SMTP_THROTTLE_OK;

	arena_init(&s.arena);
	arena_init(&s.tx_arena);
	group_init(&s.lookups);
	s.client_name = client->name;
	s.peer = arena_printf(&s.arena, "%s[%s]", client->name, client->address).p;
	stream_set_idle(s.stream, svc->settings->smtp_idle);
	bool counted = svc->throttle && client->port != SMTP_PORT_LOCAL;
	if (counted)
		admission = smtp_throttle_enter(svc->throttle, client->address);

	metric_add(METRIC_SMTP_CONNECTIONS, 1);
	metric_add(METRIC_SMTP_SESSIONS, 1);
	run_session(&s, admission);
	metric_sub(METRIC_SMTP_SESSIONS, 1);

	if (counted)
		smtp_throttle_leave(svc->throttle, client->address);
	stream_free(s.stream);
	arena_done(&s.tx_arena);
	arena_done(&s.arena);
}
