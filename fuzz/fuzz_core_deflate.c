/* What a peer may send on a compressed stream: expanded piece by piece, in bounded memory. */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/deflate.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/stream.h"
#include "core/work.h"

#define INPUT_MAX 60000
#define READ_MAX  ((uint64_t)8 << 20)

static void read_all(void *arg)
{
	struct stream *s = arg;

	if (deflate_start(s) < 0)
		return;
	while (stream_bytes_in(s) < READ_MAX && stream_fill(s, READ_MAX) > 0)
		stream_consume(s, stream_peek(s).n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct group g;
	int fds[2];

	if (n > INPUT_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	check(write(fds[1], data, n) == (ssize_t)n);
	close(fds[1]);
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(1);
	struct stream *s = stream_new(fds[0]);
	group_init(&g);
	check(fiber_spawn(&g, "reader", read_all, s) == 0);
	loop_run();
	stream_free(s);
	work_done();
	loop_done();
	return 0;
}
