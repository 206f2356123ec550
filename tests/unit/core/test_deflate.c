#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rand.h"
#include "core/deflate.h"
#include "core/stream.h"

/* Two streams that are each other's peer. */
struct link {
	struct stream *near, *far;
};

static struct link link_new(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct link){ stream_new(fds[0]), stream_new(fds[1]) };
}

static void link_done(struct link *l)
{
	stream_free(l->near);
	stream_free(l->far);
}

static void assert_line(struct stream *s, const char *want)
{
	struct str line;

	assert_int_equal(stream_read_line(s, 1000000, &line), 0);
	assert_int_equal(line.n, strlen(want));
	assert_memory_equal(line.p, want, line.n);
}

#define WORDS	"the quick brown fox jumps over the lazy dog, again and again\r\n"
#define ROUNDS	50
#define LARGE_N 300000

/* Answers each line with itself. */
static void echo(void *arg)
{
	struct stream *s = arg;
	struct str line;

	assert_int_equal(deflate_start(s), 0);
	while (stream_read_line(s, 1000000, &line) == 0)
		stream_write(s, line);
}

/* Long enough between the lines that both sides give their memory back, every other time. */
static void talk(void *arg)
{
	struct link *l = arg;

	assert_int_equal(deflate_start(l->near), 0);
	for (int i = 0; i < ROUNDS; i++) {
		char line[200];
		snprintf(line, sizeof(line), "%d " WORDS, i);
		stream_puts(l->near, line);
		assert_line(l->near, line);
		if (i % 2)
			assert_int_equal(stream_wait_input(l->near, 8000), 0);
	}
	stream_free(l->near);
	l->near = NULL;
}

static void both_sides_understand_each_other_also_after_silence(void *unused)
{
	struct link l = link_new();
	struct group g;

	(void)unused;
	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "far", echo, l.far), 0);
	talk(&l);
	group_done(&g);
	link_done(&l);
}

static void send_large(void *arg)
{
	struct stream *s = arg;
	char *text = malloc(LARGE_N);

	assert_non_null(text);
	rand_bytes(text, LARGE_N);
	for (size_t i = 0; i < LARGE_N; i++)
		text[i] = (char)('a' + (unsigned char)text[i] % 26);
	text[LARGE_N - 1] = '\n';
	assert_int_equal(deflate_start(s), 0);
	stream_write(s, str_of(text, LARGE_N));
	assert_int_equal(stream_flush(s), 0);
	struct str line;
	assert_int_equal(stream_read_line(s, 1000000, &line), 0);
	assert_int_equal(line.n, LARGE_N);
	assert_memory_equal(line.p, text, LARGE_N);
	free(text);
	stream_free(s);
}

/* More than the socket takes at once, so that writes are offered again. */
static void large_writes_wait_for_the_peer(void *unused)
{
	struct link l = link_new();
	struct group g;

	(void)unused;
	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "far", echo, l.far), 0);
	send_large(l.near);
	l.near = NULL;
	group_done(&g);
	link_done(&l);
}

/* RFC 4978 3: what a client sends right behind the command is compressed already. */
static void bytes_in_hand_are_compressed(void *unused)
{
	struct link l = link_new();

	(void)unused;
	stream_puts(l.far, "plain\r\n");
	assert_int_equal(stream_flush(l.far), 0);
	assert_int_equal(deflate_start(l.far), 0);
	stream_puts(l.far, WORDS);
	assert_int_equal(stream_flush(l.far), 0);
	assert_line(l.near, "plain\r\n");
	assert_int_equal(deflate_start(l.near), 0);
	assert_line(l.near, WORDS);
	link_done(&l);
}

static void what_is_not_compressed_kills_the_stream(void *unused)
{
	struct link l = link_new();
	struct str line;

	(void)unused;
	stream_puts(l.far, "\xff\xff NOOP\r\n");
	assert_int_equal(stream_flush(l.far), 0);
	assert_int_equal(deflate_start(l.near), 0);
	assert_int_equal(stream_read_line(l.near, 100, &line), -EPROTO);
	link_done(&l);
}

static void the_end_is_the_end(void *unused)
{
	struct link l = link_new();
	struct str line;

	(void)unused;
	assert_int_equal(deflate_start(l.near), 0);
	stream_free(l.far);
	l.far = NULL;
	assert_int_equal(stream_read_line(l.near, 100, &line), -ENODATA);
	link_done(&l);
}

/* Repetitive text is why anybody compresses. */
static void answers_become_smaller(void *unused)
{
	struct link l = link_new();
	size_t got = 0;

	(void)unused;
	assert_int_equal(deflate_start(l.near), 0);
	for (int i = 0; i < 1000; i++)
		stream_puts(l.near, WORDS);
	assert_int_equal(stream_flush(l.near), 0);
	stream_free(l.near);
	l.near = NULL;
	while (stream_fill(l.far, 1000000) > 0)
		;
	got = stream_peek(l.far).n;
	assert_in_range(got, 1, 1000 * strlen(WORDS) / 20);
	link_done(&l);
}

#define TEST(f)                                                                                    \
	static void test_##f(void **state)                                                         \
	{                                                                                          \
		(void)state;                                                                       \
		run_in_fiber(f, NULL);                                                             \
	}

TEST(both_sides_understand_each_other_also_after_silence)
TEST(large_writes_wait_for_the_peer)
TEST(bytes_in_hand_are_compressed)
TEST(what_is_not_compressed_kills_the_stream)
TEST(the_end_is_the_end)
TEST(answers_become_smaller)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(test_both_sides_understand_each_other_also_after_silence),
		fiber_test(test_large_writes_wait_for_the_peer),
		fiber_test(test_bytes_in_hand_are_compressed),
		fiber_test(test_what_is_not_compressed_kills_the_stream),
		fiber_test(test_the_end_is_the_end),
		fiber_test(test_answers_become_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
