/* A whole session before the login, with the input in one piece. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/stream.h"
#include "pop3/login.h"

#define INPUT_MAX 60000 /* fits into the socket's buffer */

static int authenticate(void *ctx, const struct pop3_credentials *c, struct arena *a,
			struct str *account, struct err *err)
{
	(void)ctx, (void)err;
	check(c->sasl.user.n > 0);
	if (c->sasl.password.n % 2)
		return -EACCES;
	*account = arena_str(a, c->sasl.user);
	return 0;
}

static int handover(void *ctx, struct str account, struct err *err)
{
	(void)ctx;
	check(account.n > 0);
	return err_set(err, -EAGAIN, "nobody there");
}

static int start_tls(void *ctx, struct stream *s, struct err *err)
{
	(void)ctx, (void)err;
	int r = stream_flush(s);
	stream_consume(s, stream_peek(s).n / 2);
	return r;
}

static void session(void *arg)
{
	static const struct pop3_login_ops ops = { authenticate, handover, start_tls };
	struct pop3_login_params p = { .stream = arg,
				       .ops = &ops,
				       .allow_cleartext = true,
				       .failures_max = 5,
				       .time_ms = 60000 };
	struct err err;

	(void)!pop3_login_run(&p, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct group g;
	int fds[2];

	if (n > INPUT_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	loop_init(LOOP_CLOCK_VIRTUAL);
	struct stream *server = stream_new(fds[0]);
	group_init(&g);
	if (write(fds[1], data, n) == (ssize_t)n && shutdown(fds[1], SHUT_WR) == 0 &&
	    fiber_spawn(&g, "session", session, server) == 0)
		loop_run();
	stream_free(server);
	close(fds[1]);
	loop_done();
	return 0;
}
