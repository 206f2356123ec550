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

#define LINE_MAX_BYTES 100000
#define PATIENCE_MS    10000

struct transcript {
	const char *script;
	enum transcript_mode mode;
	transcript_server *serve;
	void *ctx;
	struct connection {
		struct transcript *t;
		struct stream *client, *server;
	} c[2];
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

/* Take the number of the connection out of a line's mark: "C2: x" becomes "C: x". */
static struct str script_line(struct transcript *t, struct str line, struct connection **c)
{
	static char text[LINE_MAX_BYTES];
	bool second = line.n > 1 && line.p[1] == '2';

	*c = &t->c[second];
	if (!second)
		return line;
	check(line.n <= sizeof(text));
	text[0] = line.p[0];
	memcpy(text + 1, line.p + 2, line.n - 2);
	return str_of(text, line.n - 1);
}

static void say(struct connection *c, struct str bytes)
{
	if (c->t->mode != TRANSCRIPT_BYTEWISE) {
		stream_write(c->client, bytes);
		return;
	}
	for (size_t i = 0; i < bytes.n; i++) {
		stream_write(c->client, str_sub(bytes, i, 1));
		if (stream_flush(c->client) < 0 || fiber_yield() < 0)
			return;
	}
}

static void say_script_line(struct transcript *t, struct str line)
{
	struct connection *c;

	line = script_line(t, line, &c);
	if (str_starts(line, STR("C: ")) || str_starts(line, STR("c: ")))
		say(c, str_skip(line, 3));
	if (str_starts(line, STR("C:")))
		say(c, STR("\r\n"));
	if (stream_flush(c->client) < 0)
		return;
}

static bool is_expectation(struct str line)
{
	return str_starts(line, STR("S")) || str_starts(line, STR("U")) ||
	       str_starts(line, STR("X"));
}

static bool expect(struct transcript *t, struct str want)
{
	struct connection *c;
	struct str line;

	want = script_line(t, want, &c);
	int r;
	do
		r = stream_read_line(c->client, LINE_MAX_BYTES, &line);
	while (r == 0 && str_starts(want, STR("U")) &&
	       !glob_match(str_skip(want, 3), str_chomp(line)));
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

	for (int i = 0; i < 2; i++)
		stream_set_idle(t->c[i].client, PATIENCE_MS);
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
	for (int i = 0; i < 2; i++)
		stream_free(t->c[i].client);
}

static void server(void *arg)
{
	struct connection *c = arg;

	c->t->serve(c->server, c->t->ctx);
	stream_free(c->server);
}

static void connect_one(struct transcript *t, int i)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	t->c[i] = (struct connection){ .t = t,
				       .client = stream_new(fds[0]),
				       .server = stream_new(fds[1]) };
}

void transcript_run(const char *script, enum transcript_mode mode, transcript_server *serve,
		    void *ctx)
{
	struct transcript t = { .script = script, .mode = mode, .serve = serve, .ctx = ctx };
	bool two = strstr(script, "\nC2: ");
	struct group g;

	if (two && mode == TRANSCRIPT_PIPELINED)
		return;
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(1);
	group_init(&g);
	for (int i = 0; i < 2; i++)
		connect_one(&t, i);
	assert_int_equal(fiber_spawn(&g, "client", client, &t), 0);
	assert_int_equal(fiber_spawn(&g, "server", server, &t.c[0]), 0);
	if (two)
		assert_int_equal(fiber_spawn(&g, "server", server, &t.c[1]), 0);
	else
		stream_free(t.c[1].server);
	loop_run();
	work_done();
	loop_done();
	if (t.failure[0])
		fail_msg("%s", t.failure);
}
