#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/echo_ipc.h"
#include "core/ipc.h"

static int echo_op_say(void *ctx, struct echo_say_in *in, struct arena *a, struct echo_say_out *out,
		       struct err *err)
{
	(void)err;
	++*(int *)ctx;
	out->text = arena_printf(a, "you said %" STR_FMT, STR_ARG(in->text));
	out->items = in->items;
	out->items_count = in->items_count;
	for (size_t i = 0; i < in->items_count; i++)
		out->total += in->items[i].weight;
	out->file = take_fd(&in->file);
	return 7;
}

static int echo_op_wait(void *ctx, struct echo_wait_in *in, struct arena *a,
			struct echo_wait_out *out, struct err *err)
{
	(void)ctx, (void)a, (void)err;
	int r = fiber_sleep(in->ms);

	out->slept = true;
	return r;
}

static int echo_op_refuse(void *ctx, struct echo_refuse_in *in, struct arena *a,
			  struct echo_refuse_out *out, struct err *err)
{
	(void)ctx, (void)a, (void)out;
	return err_set(err, -ENOSPC, in->quietly ? "full" : "the disk is full!");
}

static const struct echo_ops ops = { .say = echo_op_say,
				     .wait = echo_op_wait,
				     .refuse = echo_op_refuse };

struct both {
	struct group servers, clients;
	struct ipc_client *client;
	int calls;
};

static void connect_both(struct both *b)
{
	struct ipc_server s = { .service = &echo_service, .ops = &ops, .ctx = &b->calls };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(ipc_serve(fds[0], &s, &b->servers), 0);
	ipc_client_attach(b->client, fds[1]);
}

static void both_init(struct both *b)
{
	b->calls = 0;
	group_init(&b->servers);
	group_init(&b->clients);
	b->client = ipc_client_new("echo", &b->clients);
}

static void both_done(struct both *b)
{
	group_done(&b->clients);
	group_done(&b->servers);
	ipc_client_free(b->client);
}

static int open_temp(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	return fd;
}

static void call_say(void *unused)
{
	(void)unused;
	struct both b;
	auto_arena struct arena a = ARENA_INIT;
	struct echo_item items[] = { { STR_INIT("one"), 1 }, { STR_INIT(""), 41 } };
	auto_close int fd = open_temp("contents");
	struct echo_say_in in = {
		.text = STR("hello"), .items = items, .items_count = 2, .file = fd
	};
	struct echo_say_out out;
	struct err err;
	char got[16] = { 0 };

	both_init(&b);
	connect_both(&b);
	assert_int_equal(echo_say(b.client, &in, &a, &out, &err), 7);
	assert_true(str_eq(out.text, STR("you said hello")));
	assert_int_equal(out.total, 42);
	assert_int_equal(out.items_count, 2);
	assert_true(str_eq(out.items[0].name, STR("one")));
	assert_true(out.file >= 0 && out.file != fd);
	assert_int_equal(pread(out.file, got, sizeof(got), 0), 8);
	assert_string_equal(got, "contents");
	close(out.file);
	both_done(&b);
}

static void a_call_carries_strings_lists_and_descriptors_both_ways(void **state)
{
	(void)state;
	run_in_fiber(call_say, NULL);
}

struct waiter {
	struct ipc_client *client;
	int64_t ms;
	int result;
	int64_t at;
};

static void call_wait(void *arg)
{
	struct waiter *w = arg;
	auto_arena struct arena a = ARENA_INIT;
	struct echo_wait_in in = { .ms = w->ms };
	struct echo_wait_out out;
	struct err err;

	w->result = echo_wait(w->client, &in, &a, &out, &err);
	w->at = loop_now();
}

static void call_many(void *unused)
{
	(void)unused;
	struct both b;
	struct waiter w[50];
	auto_group struct group callers;
	int64_t begin = loop_now();

	both_init(&b);
	connect_both(&b);
	group_init(&callers);
	for (int i = 0; i < 50; i++) {
		w[i] = (struct waiter){ .client = b.client, .ms = 1000 - i, .result = 1 };
		assert_int_equal(fiber_spawn(&callers, "caller", call_wait, &w[i]), 0);
	}
	assert_int_equal(group_join(&callers, LOOP_FOREVER), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(w[i].result, 0);
		assert_int_equal(w[i].at - begin, 1000 - i);
	}
	both_done(&b);
}

static void calls_in_flight_are_answered_in_any_order(void **state)
{
	(void)state;
	run_in_fiber(call_many, NULL);
}

static void call_failing(void *unused)
{
	(void)unused;
	struct both b;
	auto_arena struct arena a = ARENA_INIT;
	struct echo_refuse_in in = { .quietly = true };
	struct echo_refuse_out refused;
	struct echo_wait_in slow = { .ms = 6000 };
	struct echo_wait_out out;
	struct err err;

	both_init(&b);
	connect_both(&b);
	assert_int_equal(echo_refuse(b.client, &in, &a, &refused, &err), -ENOSPC);
	assert_string_equal(err.text, "full");
	assert_int_equal(echo_wait(b.client, &slow, &a, &out, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "echo.wait: no answer in time");
	slow.ms = 1; /* the late answer to the call before must not be taken for this one's */
	assert_int_equal(fiber_sleep(3000), 0);
	assert_int_equal(echo_wait(b.client, &slow, &a, &out, &err), 0);
	both_done(&b);
}

static void failures_and_late_answers_come_back_as_such(void **state)
{
	(void)state;
	run_in_fiber(call_failing, NULL);
}

static void call_too_large(void *unused)
{
	(void)unused;
	struct both b;
	auto_arena struct arena a = ARENA_INIT;
	char *text = arena_alloc(&a, IPC_MESSAGE_MAX);
	struct echo_say_in in = { .text = { text, IPC_MESSAGE_MAX - 4 }, .file = -1 };
	struct echo_say_out out;
	struct err err;

	memset(text, 'x', IPC_MESSAGE_MAX);
	both_init(&b);
	connect_both(&b);
	assert_int_equal(echo_say(b.client, &in, &a, &out, &err), -E2BIG);
	in.text.n = IPC_MESSAGE_MAX - 100; /* fits there, but not back with "you said" in front */
	assert_int_equal(echo_say(b.client, &in, &a, &out, &err), 7);
	in.text.n = IPC_MESSAGE_MAX - 22;
	assert_int_equal(echo_say(b.client, &in, &a, &out, &err), -E2BIG);
	assert_int_equal(b.calls, 2);
	both_done(&b);
}

static void what_does_not_fit_a_message_is_refused(void **state)
{
	(void)state;
	run_in_fiber(call_too_large, NULL);
}

static void reconnect(void *unused)
{
	(void)unused;
	struct both b;
	struct waiter w = { .ms = 1000, .result = 1 };
	auto_group struct group callers;

	both_init(&b);
	group_init(&callers);
	w.client = b.client;
	assert_int_equal(fiber_spawn(&callers, "early", call_wait, &w), 0);
	assert_int_equal(fiber_sleep(100), 0); /* it waits: there is no connection yet */
	connect_both(&b);
	assert_int_equal(group_join(&callers, LOOP_FOREVER), 0);
	assert_int_equal(w.result, 0);

	assert_int_equal(fiber_spawn(&callers, "unlucky", call_wait, &w), 0);
	assert_int_equal(fiber_sleep(100), 0);
	group_done(&b.servers); /* the server dies with the call in flight */
	assert_int_equal(group_join(&callers, LOOP_FOREVER), 0);
	assert_true(w.result < 0);

	connect_both(&b);
	assert_int_equal(fiber_spawn(&callers, "again", call_wait, &w), 0);
	assert_int_equal(group_join(&callers, LOOP_FOREVER), 0);
	assert_int_equal(w.result, 0);
	both_done(&b);
}

static void a_client_outlives_its_connections(void **state)
{
	(void)state;
	run_in_fiber(reconnect, NULL);
}

static void call_beyond_the_limit_of_fibers(void *arg)
{
	struct both *b = arg;
	struct echo_wait_in in = { .ms = 10 };
	struct echo_wait_out out;
	struct err err;
	auto_arena struct arena a = ARENA_INIT;

	both_init(b);
	connect_both(b);
	assert_int_equal(echo_wait(b->client, &in, &a, &out, &err), 0);

	fiber_set_limit(fiber_count());
	assert_int_equal(echo_wait(b->client, &in, &a, &out, &err), -EAGAIN);
	assert_string_equal(err.text, "too many calls at once");

	/* A new connection that finds no fiber is not lost either. */
	fiber_set_limit(fiber_count() + 1);
	connect_both(b);
	assert_int_equal(echo_wait(b->client, &in, &a, &out, &err), -EAGAIN);
	fiber_set_limit(20000);
	assert_int_equal(echo_wait(b->client, &in, &a, &out, &err), 0);
	both_done(b);
}

static void a_call_that_finds_no_fiber_fails_alone(void **state)
{
	(void)state;
	struct both b;

	run_in_fiber(call_beyond_the_limit_of_fibers, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(a_call_carries_strings_lists_and_descriptors_both_ways),
		fiber_test(calls_in_flight_are_answered_in_any_order),
		fiber_test(failures_and_late_answers_come_back_as_such),
		fiber_test(what_does_not_fit_a_message_is_refused),
		fiber_test(a_client_outlives_its_connections),
		fiber_test(a_call_that_finds_no_fiber_fails_alone),
	};
	return cmocka_run_group_tests_name("core/ipc", tests, NULL, NULL);
}
