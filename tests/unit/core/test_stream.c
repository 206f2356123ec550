#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/stream.h"

/* A stream, and the peer's end of its socket. */
struct pair {
	struct stream *s;
	int peer;
};

static struct pair pair_new(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ .s = stream_new(fds[0]), .peer = fds[1] };
}

static void pair_done(struct pair *p)
{
	stream_free(p->s);
	if (p->peer >= 0)
		close(p->peer);
}

static void peer_says(struct pair *p, const char *text)
{
	assert_int_equal(write(p->peer, text, strlen(text)), strlen(text));
}

static void assert_str(struct str s, const char *expected)
{
	assert_int_equal(s.n, strlen(expected));
	assert_memory_equal(s.p, expected, s.n);
}

static void read_lines(void *unused)
{
	(void)unused;
	struct pair p = pair_new();
	struct str line;

	peer_says(&p, "EHLO a\r\nbare\nthis one is too long\r\nQUIT\r\nrest");
	assert_int_equal(stream_read_line(p.s, 16, &line), 0);
	assert_str(line, "EHLO a\r\n");
	assert_int_equal(stream_read_line(p.s, 16, &line), 0);
	assert_str(line, "bare\n");
	assert_int_equal(stream_read_line(p.s, 16, &line), -EMSGSIZE);
	assert_int_equal(stream_skip_line(p.s), 0);
	assert_int_equal(stream_read_line(p.s, 16, &line), 0);
	assert_str(line, "QUIT\r\n");
	close(p.peer);
	p.peer = -1;
	assert_int_equal(stream_read_line(p.s, 16, &line), -ENODATA);
	assert_str(stream_peek(p.s), "rest");
	pair_done(&p);
}

static void lines_come_with_their_line_end_and_within_their_limit(void **state)
{
	(void)state;
	run_in_fiber(read_lines, NULL);
}

static void read_a_long_line(void *unused)
{
	(void)unused;
	struct pair p = pair_new();
	struct str line;
	static char chunk[20000];

	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 5; i++)
		assert_int_equal(write(p.peer, chunk, sizeof(chunk)), sizeof(chunk));
	peer_says(&p, "\nnext\n");
	assert_int_equal(stream_read_line(p.s, 200000, &line), 0);
	assert_int_equal(line.n, 100001);
	assert_int_equal(stream_read_line(p.s, 200000, &line), 0);
	assert_str(line, "next\n");
	pair_done(&p);
}

static void a_long_line_grows_the_buffer_up_to_the_callers_limit(void **state)
{
	(void)state;
	run_in_fiber(read_a_long_line, NULL);
}

static void reply_twice(void *unused)
{
	(void)unused;
	struct pair p = pair_new();
	struct str line;
	char got[64];

	peer_says(&p, "one\ntwo\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stream_read_line(p.s, 16, &line), 0);
		stream_printf(p.s, "250 %d\r\n", i);
	}
	assert_int_equal(recv(p.peer, got, sizeof(got), MSG_DONTWAIT), -1);
	stream_set_idle(p.s, 10);
	assert_int_equal(stream_read_line(p.s, 16, &line), -ETIMEDOUT);
	assert_int_equal(recv(p.peer, got, sizeof(got), MSG_DONTWAIT), 14);
	assert_memory_equal(got, "250 0\r\n250 1\r\n", 14);
	assert_int_equal(stream_error(p.s), -ETIMEDOUT);
	pair_done(&p);
}

static void replies_leave_together_when_the_stream_waits_for_input(void **state)
{
	(void)state;
	run_in_fiber(reply_twice, NULL);
}

/* What another process had read is as much as its buffer had grown to. */
static void read_what_was_read_before(void *unused)
{
	(void)unused;
	struct pair p = pair_new();
	struct str line;
	char *before = malloc(50000);

	for (size_t i = 0; i < 50000; i += 10)
		memcpy(before + i, "12345678\r\n", 10);
	stream_preload(p.s, str_of(before, 49995));
	free(before);
	peer_says(&p, "678\r\nlast\r\n");
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(stream_read_line(p.s, 100, &line), 0);
		assert_str(line, "12345678\r\n");
	}
	assert_int_equal(stream_read_line(p.s, 100, &line), 0);
	assert_str(line, "last\r\n");
	pair_done(&p);
}

static void preloaded_bytes_come_first_however_many(void **state)
{
	(void)state;
	run_in_fiber(read_what_was_read_before, NULL);
}

static void write_to_nobody(void *unused)
{
	(void)unused;
	struct pair p = pair_new();

	close(p.peer);
	p.peer = -1;
	stream_puts(p.s, "220 hello\r\n");
	assert_int_equal(stream_flush(p.s), -EPIPE);
	assert_int_equal(stream_fill(p.s, 100), -EPIPE);
	pair_done(&p);
}

static void writing_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
	(void)state;
	run_in_fiber(write_to_nobody, NULL);
}

static void wait_quietly(void *unused)
{
	(void)unused;
	struct pair p = pair_new();

	assert_int_equal(stream_wait_input(p.s, 200), 0);
	fiber_interrupt(fiber_self());
	assert_int_equal(stream_wait_input(p.s, 200), -EINTR);
	peer_says(&p, "x");
	assert_int_equal(stream_wait_input(p.s, 60000), 1);
	assert_str(stream_peek(p.s), "x");
	pair_done(&p);
}

static void waiting_for_input_ends_by_time_news_or_input(void **state)
{
	(void)state;
	run_in_fiber(wait_quietly, NULL);
}

struct relay_test {
	struct pair left, right;
	int result;
};

static void read_until_cancelled(void *arg)
{
	struct pair *p = arg;
	struct str line;

	stream_puts(p->s, "hello\r\n");
	assert_int_equal(stream_read_line(p->s, 100, &line), -ECANCELED);
	stream_say_last(p->s, "bye\r\n");
	stream_say_last(p->s, "once only\r\n");
	assert_int_equal(stream_flush(p->s), -ECANCELED);
}

static void cancel_a_reader(void *unused)
{
	(void)unused;
	struct pair p = pair_new();
	char said[32];
	struct group g;

	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "reader", read_until_cancelled, &p), 0);
	assert_int_equal(fiber_sleep(10), 0);
	group_done(&g);
	assert_str(str_of(said, (size_t)read(p.peer, said, sizeof(said))), "hello\r\nbye\r\n");
	pair_done(&p);
}

static void a_cancelled_reader_may_still_say_why(void **state)
{
	(void)state;
	run_in_fiber(cancel_a_reader, NULL);
}

static void relay(void *arg)
{
	struct relay_test *t = arg;

	t->result = stream_relay(t->left.s, t->right.s, 1000);
}

#define FLOOD ((size_t)1024 * 1024)

static void *write_flood(void *arg)
{
	int fd = *(int *)arg;
	char chunk[1024];

	memset(chunk, 'y', sizeof(chunk));
	for (size_t n = 0; n < FLOOD; n += sizeof(chunk))
		if (write(fd, chunk, sizeof(chunk)) != sizeof(chunk))
			abort();
	shutdown(fd, SHUT_WR);
	return NULL;
}

static void *read_flood(void *arg)
{
	char chunk[1024];
	size_t got = 0;

	for (ssize_t r; (r = read(*(int *)arg, chunk, sizeof(chunk))) > 0;)
		got += (size_t)r;
	return (void *)got;
}

static void *write_then_read_flood(void *arg)
{
	write_flood(arg);
	return read_flood(arg);
}

/* The left peer reads nothing until it has sent everything: that direction must
 * not hold up the other. */
static void a_blocked_direction_of_a_relay_does_not_block_the_other(void **state)
{
	(void)state;
	struct relay_test t = { .left = pair_new(), .right = pair_new(), .result = 1 };
	pthread_t left, right_writer, right_reader;
	void *got_left, *got_right;

	pthread_create(&left, NULL, write_then_read_flood, &t.left.peer);
	pthread_create(&right_writer, NULL, write_flood, &t.right.peer);
	pthread_create(&right_reader, NULL, read_flood, &t.right.peer);
	run_in_fiber(relay, &t);
	pthread_join(left, &got_left);
	pthread_join(right_writer, NULL);
	pthread_join(right_reader, &got_right);
	assert_int_equal(t.result, 0);
	assert_int_equal((size_t)got_left, FLOOD);
	assert_int_equal((size_t)got_right, FLOOD);
	pair_done(&t.left);
	pair_done(&t.right);
}

/* A peer that is never short of bytes, nor of room for them. */
struct eager {
	struct stream_layer base;
	unsigned left; /* reads until the end */
};

static ssize_t eager_read(struct stream_layer *l, void *p, size_t n)
{
	struct eager *e = CONTAINER_OF(l, struct eager, base);

	if (e->left == 0)
		return 0;
	e->left--;
	memset(p, '\n', n);
	return (ssize_t)n;
}

static ssize_t eager_write(struct stream_layer *l, const void *p, size_t n)
{
	(void)l, (void)p;
	return (ssize_t)n;
}

static void eager_free(struct stream_layer *l)
{
	(void)l;
}

#define EAGER_READS 1000

static struct eager eager_new(unsigned reads)
{
	return (struct eager){
		.base = { .read = eager_read, .write = eager_write, .free = eager_free },
		.left = reads
	};
}

/* What was left of the eager peer's bytes when another fiber had its first turn. */
struct bystander {
	struct eager *peer;
	unsigned left;
};

static void look_on(void *arg)
{
	struct bystander *b = arg;

	b->left = b->peer->left;
}

static void read_eagerly(struct stream *s)
{
	struct str line;

	while (stream_read_line(s, 16, &line) == 0)
		stream_puts(s, "250 Ok\r\n");
}

static void wait_eagerly(struct stream *s)
{
	while (stream_wait_input(s, 1000) == 1 && stream_peek(s).n)
		stream_consume(s, stream_peek(s).n);
}

static void relay_eagerly(struct stream *s)
{
	struct pair other = pair_new();
	struct eager to = eager_new(0);

	stream_push_layer(other.s, &to.base);
	to.left = EAGER_READS;
	assert_int_equal(stream_relay(s, other.s, 1000), 0);
	pair_done(&other);
}

static void be_eager(void *arg)
{
	void (*use)(struct stream *s) = *(void (**)(struct stream *))arg;
	struct pair p = pair_new();
	struct eager peer = eager_new(EAGER_READS);
	struct bystander b = { .peer = &peer };
	struct group g;

	group_init(&g);
	stream_push_layer(p.s, &peer.base);
	assert_int_equal(fiber_spawn(&g, "bystander", look_on, &b), 0);
	use(p.s);
	assert_int_equal(peer.left, 0);
	assert_true(b.left > EAGER_READS / 2);
	group_done(&g);
	pair_done(&p);
}

static void a_peer_that_never_pauses_does_not_keep_others_waiting(void **state)
{
	static void (*const uses[])(struct stream *s) = { read_eagerly, wait_eagerly,
							  relay_eagerly };
	(void)state;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		run_in_fiber(be_eager, (void *)&uses[i]);
}

static int real_clock(void **state)
{
	(void)state;
	loop_init(LOOP_CLOCK_REAL);
	work_init(1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(lines_come_with_their_line_end_and_within_their_limit),
		fiber_test(a_long_line_grows_the_buffer_up_to_the_callers_limit),
		fiber_test(preloaded_bytes_come_first_however_many),
		fiber_test(replies_leave_together_when_the_stream_waits_for_input),
		fiber_test(writing_to_a_closed_peer_is_an_error_and_no_signal),
		fiber_test(waiting_for_input_ends_by_time_news_or_input),
		fiber_test(a_cancelled_reader_may_still_say_why),
		fiber_test(a_peer_that_never_pauses_does_not_keep_others_waiting),
		cmocka_unit_test_setup_teardown(
			a_blocked_direction_of_a_relay_does_not_block_the_other, real_clock,
			loop_teardown),
	};
	return cmocka_run_group_tests_name("core/stream", tests, NULL, NULL);
}
