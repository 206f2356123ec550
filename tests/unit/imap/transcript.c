#include "transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/group.h"
#include "core/loop.h"
#include "core/stream.h"
#include "core/work.h"

#define LINE_MAX_BYTES 1000000
#define PATIENCE_MS    10000

struct transcript {
	const char *script;
	enum transcript_mode mode;
	transcript_server *serve;
	void *ctx;
	struct stream *client, *server;
	char failure[2048];
};

static bool glob_match(struct str pattern, struct str text)
{
	ssize_t star = str_find(pattern, STR("<*>"));
	if (star < 0)
		return str_eq(pattern, text);

	struct str before = str_sub(pattern, 0, (size_t)star);
	struct str after = str_skip(pattern, (size_t)star + 3);
	if (!str_starts(text, before))
		return false;
	for (size_t i = before.n; i <= text.n; i++)
		if (glob_match(after, str_skip(text, i)))
			return true;
	return false;
}

static void say(struct transcript *t, struct str bytes)
{
	if (t->mode != TRANSCRIPT_BYTEWISE) {
		stream_write(t->client, bytes);
		return;
	}
	for (size_t i = 0; i < bytes.n; i++) {
		stream_write(t->client, str_sub(bytes, i, 1));
		if (stream_flush(t->client) < 0 || fiber_yield() < 0)
			return;
	}
}

static void say_script_line(struct transcript *t, struct str line)
{
	if (str_starts(line, STR("C: ")) || str_starts(line, STR("c: ")))
		say(t, str_skip(line, 3));
	if (str_starts(line, STR("C:")))
		say(t, STR("\r\n"));
}

static bool is_expectation(struct str line)
{
	return str_starts(line, STR("S: ")) || str_starts(line, STR("X"));
}

static bool expect(struct transcript *t, struct str want)
{
	struct str line;
	int r = stream_read_line(t->client, LINE_MAX_BYTES, &line);

	if (str_starts(want, STR("X"))) {
		if (r < 0)
			return true;
		snprintf(t->failure, sizeof(t->failure),
			 "mode %d: want the end, got \"%" STR_FMT "\"", t->mode,
			 STR_ARG(str_chomp(line)));
		return false;
	}
	want = str_skip(want, 3);
	if (r < 0) {
		snprintf(t->failure, sizeof(t->failure),
			 "mode %d: want \"%" STR_FMT "\", got error %d", t->mode, STR_ARG(want), r);
		return false;
	}
	line = str_chomp(line);
	if (glob_match(want, line))
		return true;
	snprintf(t->failure, sizeof(t->failure),
		 "mode %d: want \"%" STR_FMT "\", got \"%" STR_FMT "\"", t->mode, STR_ARG(want),
		 STR_ARG(line));
	return false;
}

/* Pipelined: send what can be sent before the server must have said something. */
static struct str say_ahead(struct transcript *t, struct str from)
{
	struct str rest = from, line;

	while (str_next_line(&rest, &line)) {
		if (str_starts(line, STR("S: +")) || str_starts(line, STR("-")))
			return rest;
		say_script_line(t, line);
	}
	return rest;
}

static void client(void *arg)
{
	struct transcript *t = arg;
	struct str rest = str_from(t->script), ahead = rest, line;

	stream_set_idle(t->client, PATIENCE_MS);
	while (!t->failure[0]) {
		/* Everything said ahead has been answered: continue from here. */
		if (t->mode == TRANSCRIPT_PIPELINED && rest.p == ahead.p)
			ahead = say_ahead(t, rest);
		if (!str_next_line(&rest, &line))
			break;
		if (is_expectation(line)) {
			if (!expect(t, line))
				break;
		} else if (t->mode != TRANSCRIPT_PIPELINED) {
			say_script_line(t, line);
		}
	}
	stream_free(t->client);
}

static void server(void *arg)
{
	struct transcript *t = arg;

	t->serve(t->server, t->ctx);
	stream_free(t->server);
}

void transcript_run(const char *script, enum transcript_mode mode, transcript_server *serve,
		    void *ctx)
{
	struct transcript t = { .script = script, .mode = mode, .serve = serve, .ctx = ctx };
	struct group g;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(1);
	t.client = stream_new(fds[0]);
	t.server = stream_new(fds[1]);
	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "client", client, &t), 0);
	assert_int_equal(fiber_spawn(&g, "server", server, &t), 0);
	loop_run();
	work_done();
	loop_done();
	if (t.failure[0])
		fail_msg("%s", t.failure);
}
