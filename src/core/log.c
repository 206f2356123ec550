#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/fiber.h"
#include "core/log_line.h"
#include "core/metrics.h"
#include "core/settings.h"

enum {
	PENDING_MAX = 64 * 1024,
	PIPE_ATOMIC = 4096, /* a pipe that polls writable takes this much without blocking */
};

static struct {
	struct log_config config;
	struct buf pending, line;
	pid_t pid;
	bool ready;
	bool failing; /* a check failed while its report was being written */
} log_state = {
	.config = { .role = "posthorn",
		    .host = STR_INIT("localhost"),
		    .level = LOG_LEVEL_INFO,
		    .fd = STDERR_FILENO },
};

static void make_ready(void)
{
	if (log_state.ready)
		return;
	buf_init(&log_state.pending, NULL, PENDING_MAX);
	buf_init(&log_state.line, NULL, LOG_LINE_MAX);
	/* All memory now: the log also reports that there is none left. */
	check(buf_space(&log_state.pending, PENDING_MAX) &&
	      buf_space(&log_state.line, LOG_LINE_MAX));
	log_state.pid = getpid();
	/* While the zone's file can still be opened. */
	tzset();
	log_state.ready = true;
}

static void report_failed_check(const char *line)
{
	if (log_state.failing)
		return;
	log_state.failing = true;
	log_event(LOG_CHECK_FAILED, LOG_CSTR("text", line));
	log_flush();
}

void log_init(const struct log_config *config)
{
	log_flush();
	log_state.config = *config;
	make_ready();
	log_state.pid = getpid();
	check_set_handler(report_failed_check);
}

struct log_config log_config_from_settings(const char *role)
{
	const struct settings *s = settings_get();
	const char *fd = getenv(LOG_FD_ENV);
	uint64_t n = STDERR_FILENO;

	if (fd && str_to_u64(str_from(fd), INT32_MAX, &n) < 0)
		n = STDERR_FILENO;
	return (struct log_config){
		.role = role,
		.host = s->host,
		.level = (enum log_level)s->log_level,
		.format = (enum log_format)s->log_format,
		.fd = (int)n,
	};
}

void log_set_fd(int fd)
{
	log_flush();
	log_state.config.fd = fd;
}

bool log_is_wanted(enum log_event_id id)
{
	return log_events[id].level <= log_state.config.level;
}

static int64_t wall_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void log_write(enum log_event_id id, const struct log_field *fields)
{
	struct log_line line = {
		.time = wall_clock(),
		.event = &log_events[id],
		.role = log_state.config.role,
		.host = log_state.config.host,
		.fields = fields,
		.context = fiber_local(),
	};

	make_ready();
	line.pid = log_state.pid;
	buf_clear(&log_state.line);
	if (log_state.config.format == LOG_FORMAT_JSON)
		log_line_write_json(&log_state.line, &line);
	else
		log_line_write_text(&log_state.line, &line);

	if (log_state.pending.n + log_state.line.n > PENDING_MAX)
		log_flush();
	buf_put_str(&log_state.pending, buf_str(&log_state.line));
	/* Whoever logs before the loop runs has nobody to flush for him; errors may precede a
	 * death. */
	if (log_state.config.fd == STDERR_FILENO || line.event->level == LOG_LEVEL_ERROR)
		log_flush();
}

/* Standard error as a last resort: as much as it takes without blocking. */
static void write_to_stderr(struct str s)
{
	while (s.n > 0) {
		struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
		if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
			return;
		ssize_t n = write(STDERR_FILENO, s.p, s.n < PIPE_ATOMIC ? s.n : PIPE_ATOMIC);
		if (n <= 0)
			return;
		s = str_skip(s, (size_t)n);
	}
}

void log_flush(void)
{
	struct str s = buf_str(&log_state.pending);

	while (s.n > 0) {
		ssize_t n = write(log_state.config.fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			metric_add(METRIC_LOG_DIVERTED, 1);
			write_to_stderr(s);
			break;
		}
		s = str_skip(s, (size_t)n);
	}
	buf_clear(&log_state.pending);
}

void log_context_enter(struct log_context *c, const char *tag)
{
	c->parent = fiber_local();
	c->tag = tag;
	c->count = 0;
	fiber_set_local(c);
}

void log_context_leave(const struct log_context *c)
{
	check(fiber_local() == c);
	/* The pointer is stored without const and only ever read as const. */
	fiber_set_local((void *)(uintptr_t)c->parent);
}

void log_context_set(struct log_context *c, struct log_field field)
{
	for (size_t i = 0; i < c->count; i++) {
		if (str_eq(str_from(c->fields[i].key), str_from(field.key))) {
			c->fields[i] = field;
			return;
		}
	}
	check(c->count < LOG_CONTEXT_FIELDS);
	c->fields[c->count++] = field;
}
